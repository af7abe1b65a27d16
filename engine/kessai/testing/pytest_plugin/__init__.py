"""The two pytest plugins: for adapters, and for coverage."""
