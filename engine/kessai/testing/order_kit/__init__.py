"""An order system under test: played, struck by faults, compared."""
