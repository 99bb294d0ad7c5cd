"""LOF: the density of a row against that of its neighbours."""
