"""Deep SVDD: the distance to the centre of a learnt hypersphere."""
