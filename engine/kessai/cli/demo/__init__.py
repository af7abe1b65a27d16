"""`kessai demo`: a payment's whole life, narrated."""
