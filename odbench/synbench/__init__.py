"""The synthetic suite: priors, archetypes, oracles."""
