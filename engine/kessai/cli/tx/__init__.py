"""`kessai tx`: one transaction, seen and acted on."""
