"""odbench_pfn: a small network fitted to synthetic tables."""
