"""For how long what is kept: `kessai forget`."""
