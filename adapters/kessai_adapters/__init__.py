"""Gateways for kessai: `veritrans4g`, the first, and the emulator that stands in for it."""
