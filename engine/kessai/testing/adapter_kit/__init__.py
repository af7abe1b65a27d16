"""The parts of the adapters' conformance kit; its face is `kessai.testing.adapter_kit.public`."""
