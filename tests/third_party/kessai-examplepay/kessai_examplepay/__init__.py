"""ExamplePay for kessai."""
