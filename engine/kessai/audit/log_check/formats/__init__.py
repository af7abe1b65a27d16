"""The formats that logs come in: each is read as a table, row by row."""
