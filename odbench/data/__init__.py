"""Data sets by name: manifests, transports, the Arrow store, the protocol."""
