"""From the text or object that names a detector to a configuration that builds it."""
