"""TabICL: density of, and classification in, the context of the training rows."""
