"""Replaying fast: each step is decided once for all transactions in the same abstract state."""
