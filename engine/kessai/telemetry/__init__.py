"""What engines do, for those who run them: traces, metrics and log records.

Each is an observer (`kessai.driver.Observer`), and `Telemetry` is all of them. They name
transactions, operations and accounts, and never an amount, a parameter, a key, a page or
what a gateway said of a person.
"""
