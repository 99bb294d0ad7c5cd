"""From a name to arrays: manifests, transports, the Arrow store, the protocol."""
