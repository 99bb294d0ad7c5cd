"""DROCC: one class against its own adversarial surroundings."""
