"""LOF: the density of a row compared with that of its neighbours."""
