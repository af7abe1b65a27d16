"""The feed in PostgreSQL: which events may be read, so that none is ever missed.

Sessions commit in another order than they write in. A number from a sequence is drawn
before the commit: who reads 7 while 6 is not committed yet, and goes on from 7, never
sees 6. So an event's position is the id of the transaction of the database that wrote
it, and an event can be read once no transaction with that id or an earlier one is under
way (`pg_snapshot_xmin`): what commits later has a later position.

    session A   takes id 100, writes event 1 of order-1      …            commits
    session B            takes id 101, writes for order-2, commits
    a reader                                           nothing yet   both, 100 first

An id is taken at a session's first write, which a shop may have made for itself:

    session A   takes id 100 for a row of its own …          writes event 2 of order-1
    session B            takes id 101, writes event 1 of order-1, commits

So an event's position is never less than that of the event before it, which stands in
the transaction's row: here both have 101. That delays an event, and loses none: what wrote it has ended before 101 is read.
Events of the same position stand in the order of their transactions and their numbers.

Ids count on for all databases of a server, and one that stays open anywhere on it (also
a prepared one) holds the feed back: `Store.held_back` has the first event that waits.

A dump that is restored into another server brings positions that are beyond its ids.
Whoever opens the store to write moves them down, all by the same number, and those of
the subscribers with them (`rebase`).
"""

import re

from kessai.flow import Published
from kessai.machine import Record
from kessai.stores.feed import LAST_POSITION, no_position
from kessai.stores.query import Query, Steps

_LIMIT = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_NEXT = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"

_FEED = f"""
SELECT position, transaction_id, number, body, hash, moved FROM kessai_events
WHERE (position, transaction_id, number)
    > (:position::bigint, :transaction::text, :number::bigint)
  AND position < {_LIMIT}
ORDER BY position, transaction_id, number LIMIT :limit
"""  # noqa: S608 - put together from names in this module, as are those below

_IS_AHEAD = f"SELECT :position::bigint >= {_NEXT}"

_HELD_BACK = f"""
SELECT transaction_id, number, body, hash, moved FROM kessai_events WHERE position >= {_LIMIT}
ORDER BY position, transaction_id, number LIMIT 1
"""  # noqa: S608

_BEYOND = f"""
SELECT max(position) + 1 FROM kessai_events WHERE position <= {LAST_POSITION}
HAVING max(position) >= {_NEXT}
"""  # noqa: S608

_REBASE_EVENTS = "UPDATE kessai_events SET position = position - :shift::bigint"
_REBASE_STATES = "UPDATE kessai_states SET position = position - :shift::bigint"
_REBASE_SUBSCRIBERS = """
UPDATE kessai_subscribers SET position =
  (split_part(position, '.', 1)::bigint - :shift::bigint)::text
  || substr(position, strpos(position, '.'))
WHERE position <> ''
"""

_FIRST = -(2**63), 0, ""


def feed(after: str, limit: int) -> Steps[list[Published]]:
    """`Store.feed`."""
    position, number, transaction = _read(after)
    values = {"position": position, "number": number, "transaction": transaction}
    rows = yield Query(_FEED, {**values, "limit": limit})
    if not rows and after:
        ((is_ahead,),) = yield Query(_IS_AHEAD, {"position": position})
        if is_ahead:  # of another server, say: what comes would be passed over
            raise no_position(after)
    return [_published(at, Record(*columns)) for at, *columns in rows]


def held_back() -> Steps[Record | None]:
    """`Store.held_back`."""
    rows = yield Query(_HELD_BACK)
    return Record(*rows[0]) if rows else None


def beyond() -> Steps[int | None]:
    """By how much positions are to be moved down that another server gave; or None."""
    rows = yield Query(_BEYOND)
    return rows[0][0] if rows else None


def rebase() -> Steps[None]:
    """Move all positions down that another server gave, in a transaction that is open."""
    shift = yield from beyond()
    if shift is not None:
        yield Query(_REBASE_EVENTS, {"shift": shift})
        yield Query(_REBASE_STATES, {"shift": shift})
        yield Query(_REBASE_SUBSCRIBERS, {"shift": shift})


def _read(position: str) -> tuple[int, int, str]:
    if not position:
        return _FIRST
    found = re.fullmatch("(-?[0-9]{1,18})[.]([0-9]{1,18})[.](.+)", position)
    if found is None:
        raise no_position(position)
    at, number, transaction = found.groups()
    return int(at), int(number), transaction


def _published(at: int, record: Record) -> Published:
    return Published(f"{at}.{record.number}.{record.transaction}", record)
