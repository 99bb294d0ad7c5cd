"""From results to tables, pages and submissions."""
