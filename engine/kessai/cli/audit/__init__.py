"""`kessai audit`: verify, seal, check, report, coverage."""
