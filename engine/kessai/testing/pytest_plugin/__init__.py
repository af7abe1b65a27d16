"""The two pytest plugins: adapters, coverage."""
