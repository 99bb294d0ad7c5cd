"""Run trials in sandboxes, in parallel, and lose none."""
