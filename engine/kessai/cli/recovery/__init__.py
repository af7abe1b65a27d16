"""`kessai recover`, `reconcile` and `sweep`: what waits, asked about."""
