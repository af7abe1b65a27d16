"""The shipped lifecycles: `one_time.toml`, `recurring.toml`, `charge.toml`.

The files are package data, read by `kessai.spec`; this package holds no code. What
several lifecycles share stands once, under `shared/`, and is included.
"""
