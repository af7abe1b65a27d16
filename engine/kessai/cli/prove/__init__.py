"""`kessai prove`."""
