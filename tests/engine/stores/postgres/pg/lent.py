"""The session of a store that has one connection, as the store would have it next."""

from contextlib import contextmanager


@contextmanager
def lent(store):
    lender = store._lenders.get()
    session = lender.lend()
    try:
        yield session
    finally:
        lender.give_back(session)
