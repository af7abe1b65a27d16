"""The parts of the adapters' conformance kit; `public` is what others import."""
