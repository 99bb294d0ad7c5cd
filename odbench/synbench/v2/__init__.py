"""SynBench version 2: exact oracles, spread difficulty, tables as people have them."""
