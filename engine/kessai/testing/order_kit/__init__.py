"""An order system under test: made to act, given faults, compared."""
