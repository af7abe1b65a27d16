"""`kessai bill`: a month's billing, planned, charged once, and reconciled."""
