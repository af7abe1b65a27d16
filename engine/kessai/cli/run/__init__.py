"""`kessai run`: a file of commands, carried out."""
