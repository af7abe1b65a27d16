"""`kessai simulate`."""
