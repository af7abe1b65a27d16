"""HTTP from outside: the notifications of gateways."""
