"""Hypothesis strategies drawn from a lifecycle file."""
