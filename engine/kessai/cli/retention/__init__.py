"""For how long what is kept: `kessai forget` and `kessai archive`."""
