"""What the tests of PostgreSQL share: a server, a way to break it, and an async store."""
