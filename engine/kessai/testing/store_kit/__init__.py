"""What every store must keep, as tests."""
