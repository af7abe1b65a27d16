"""`kessai lifecycle`: list, show, check, rules."""
