"""What the stores have in common of the feed: positions, and how far subscribers are."""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TYPE_CHECKING

from kessai import flow
from kessai.errors import InvalidInput, VersionConflict
from kessai.machine.record import canonical
from kessai.stores.encoding import decode_undelivered
from kessai.stores.query import Query, Row, Steps

if TYPE_CHECKING:  # who lists transactions needs only what they are
    from kessai.flow import Subscriber

LAST_POSITION = 1 << 60
"""No store counts up to it, and after the greatest integer no event could follow."""

_MISPLACED = f"""
SELECT transaction_id, number FROM (
  SELECT transaction_id, number, position,
    lag(position) OVER (PARTITION BY transaction_id ORDER BY number) AS before
  FROM kessai_events
) AS placed WHERE position < before OR position > {LAST_POSITION}
ORDER BY transaction_id, number
"""  # noqa: S608 - a number of this module

_ALL = "SELECT name, position, version, undelivered FROM kessai_subscribers"
_FIND = f"{_ALL} WHERE name = :name"

_BEGIN = """
INSERT INTO kessai_subscribers (name, version, position, undelivered)
VALUES (:name, :version, :position, :undelivered)
ON CONFLICT (name) DO NOTHING RETURNING name
"""

_ADVANCE = """
UPDATE kessai_subscribers
SET version = :version, position = :position, undelivered = :undelivered
WHERE name = :name AND version = :version - 1 RETURNING name
"""


def counted(position: str) -> int:
    """The number that is a position in SQLite and in memory, 0 before all.

    Raises:
        InvalidInput: it is none.

    """
    if re.fullmatch("[0-9]{0,18}", position):
        return int(position or 0)
    raise no_position(position)


def check_place(position: str, number: int, last: int) -> None:
    """Refuse a position after the last event's: what comes would be passed over.

    It is of another store, or of this one before it was restored from a backup.

    Raises:
        InvalidInput: the place `number` of it comes after `last`.

    """
    if number > last:
        raise no_position(position)


def no_position(position: str) -> InvalidInput:
    """The error for a text that is no position of the store."""
    message = f"after: {position!r} is no position in the feed of this store"
    return InvalidInput(message)


def misplaced() -> Steps[list[tuple[str, int]]]:
    """`Store.misplaced`."""
    rows = yield Query(_MISPLACED)
    return [(transaction, number) for transaction, number in rows]


def subscriber(name: str) -> Steps[Subscriber]:
    """`Store.subscriber`."""
    rows = yield Query(_FIND, {"name": name})
    return _read(rows[0]) if rows else flow.Subscriber(name=name)


def subscribers() -> Steps[list[Subscriber]]:
    """`Store.subscribers`."""
    found = [_read(row) for row in (yield Query(_ALL))]
    return sorted(found, key=attrgetter("name"))  # by code points, as databases may not


def _read(row: Row) -> Subscriber:
    name, position, version, raw = row
    return flow.Subscriber(
        name=name,
        position=position,
        version=version,
        undelivered=decode_undelivered(raw),
    )


def advance(subscriber: Subscriber) -> Steps[None]:
    """`Store.advance`: one statement."""
    values = {
        "name": subscriber.name,
        "version": subscriber.version,
        "position": subscriber.position,
        "undelivered": canonical(subscriber.undelivered),
    }
    statement = _BEGIN if subscriber.version == 1 else _ADVANCE
    rows = yield Query(statement, values, writes=True, conflict=VersionConflict)
    if not rows:
        raise outrun(subscriber)


def outrun(subscriber: Subscriber) -> VersionConflict:
    """The error for a subscriber that another process carries on."""
    message = f"subscriber {subscriber.name!r}: another process carries it on; run one at a time"
    return VersionConflict(message)
