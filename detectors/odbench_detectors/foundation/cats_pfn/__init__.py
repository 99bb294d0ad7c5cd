"""cats_pfn: the scores of CATS and of the network of odbench_pfn, added."""
