"""MCM: reconstruction through learnt masks."""
