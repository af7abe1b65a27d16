"""Many that ask for the same money at the same moment, and who may have it."""
