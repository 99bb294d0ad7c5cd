"""kNN: the distance to the nearest training rows."""
