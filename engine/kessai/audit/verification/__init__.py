"""Every trail replayed, and held against what is stored."""
