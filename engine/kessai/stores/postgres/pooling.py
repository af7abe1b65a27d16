"""A pooler in between: recognised when a store is opened, refused if it pools transactions.

A session's settings are made once: that its commits are durable, how long it waits, which
schema it is confined to. A pooler that gives each transaction to any idle backend loses
them, and another program's `SET synchronous_commit = off` comes along instead. Nothing
can be promised so. Pooled by sessions, everything holds.

A client is told the number of its backend when it connects. A pooler does not know it by
then, and invents one: where the number is right there is no pooler, and nothing more is
asked. Else two sessions ask in turn who serves them, each twice. Pooled by sessions, each
has a backend of its own. Pooled by transactions, an idle one is taken by whoever asks
next: both see the same, or, where idle ones take turns, one of them sees two.
"""

from kessai.errors import StoreUnsuitable
from kessai.stores.query import Query, Steps

ROUNDS = 4
"""How often both sessions ask: programs beside us may take a backend in between."""


def backends() -> Steps[list[int]]:
    """Who serves a session's transaction, and who the next."""
    found = []
    for _ in range(2):
        ((number,),) = yield Query("SELECT pg_backend_pid()")
        found.append(number)
    return found


def check(one: set[int], other: set[int]) -> None:
    """See that each of two sessions was served by one backend, and not by the same.

    Raises:
        StoreUnsuitable: transactions are pooled, or single statements.

    """
    if len(one) == len(other) == 1 and one != other:
        return
    message = (
        "a pooler in between gives each transaction another session, and its settings"
        " are lost: connect to PostgreSQL itself, or have sessions pooled (PgBouncer:"
        " pool_mode = session, in [databases] for this one alone)"
    )
    raise StoreUnsuitable(message)
