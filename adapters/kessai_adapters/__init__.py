"""Gateways for kessai: `veritrans4g`, the first, and the emulator of it."""
