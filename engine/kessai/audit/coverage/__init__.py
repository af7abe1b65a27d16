"""What of a lifecycle can be exercised, and what was."""
