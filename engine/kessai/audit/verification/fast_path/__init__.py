"""Replaying fast: each step is decided once for each abstract state."""
