"""Every detector of PyOD, by name."""
