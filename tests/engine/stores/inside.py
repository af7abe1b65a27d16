"""What a store holds inside, for tests that break it there."""


def session(store):
    """The session of an SQLite store's writer, whose `connection` may be replaced."""
    return store._own.get().writer.session
