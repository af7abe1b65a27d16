"""What a change, a lease and a transaction are in SQL: the rows of the SQLite store.

Everything here happens in a transaction that the caller has begun, and ends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Container, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from kessai import flow
from kessai.errors import LeaseLost, VersionConflict
from kessai.machine import Record, Transaction
from kessai.stores.encoding import (
    columns_of,
    decode_row,
    encode_recorded,
    encode_transaction,
)
from kessai.stores.feed import check_place, counted
from kessai.stores.query import Query, Steps
from kessai.stores.schedule import encode_failure, lease_of
from kessai.stores.schema import IS_DENIAL, VIEWS

if TYPE_CHECKING:
    from kessai.flow import Change, Lease, Published, Recorded, RecoveryFailure
    from kessai.spec import Lifecycle

BUT_DENIALS = (
    "SELECT transaction_id, number, body, hash, moved FROM kessai_events"  # noqa: S608 - a constant
    " INDEXED BY kessai_events_of_transaction"
    f" WHERE transaction_id = :transaction AND ({IS_DENIAL}) = 0"
    " ORDER BY number"
)
"""The records of a transaction without those of refused attempts."""

_OURS = ", ".join("'{}'".format(view.replace("'", "''")) for view in VIEWS)

_EITHER = (
    "SELECT * FROM (SELECT transaction_id, number, body, hash, moved FROM kessai_events"  # noqa: S608 - a constant
    f" WHERE transaction_id = :transaction AND ({IS_DENIAL}) = {{}}"
    " AND number >= :first ORDER BY number LIMIT :limit)"
)
RECORDS_FROM = (
    f"{_EITHER.format(0)} UNION ALL {_EITHER.format(1)} ORDER BY number LIMIT :limit"
)
"""A page of a trail, of which the index has denials apart."""

# One after the other, as writers take turns: none is skipped, none committed later.
_APPEND = (
    "INSERT INTO kessai_events (transaction_id, number, body, hash, moved, position)"
    " VALUES (?, ?, ?, ?, ?, (SELECT ifnull(max(position), 0) + 1 FROM kessai_events))"
)

# Never the last one of all: its position must not be given again.
_REMOVE = "DELETE FROM kessai_events WHERE transaction_id = ? AND number < ?"

_FEED = (
    "SELECT position, transaction_id, number, body, hash, moved FROM kessai_events"
    " WHERE position > :after ORDER BY position LIMIT :limit"
)

_LAST = "SELECT ifnull(max(position), 0) FROM kessai_events"

FOREIGN = rf"""
SELECT type, name, tbl_name FROM sqlite_master
WHERE type IN ('trigger', 'view') AND sql LIKE '%kessai\_%' ESCAPE '\'
  AND sql NOT IN ({_OURS})
ORDER BY type, name
"""  # noqa: S608 - constants
"""Rows for `ForeignObject`, which our own views are none of."""


def write_change(
    connection: sqlite3.Connection, change: Change, declared: Container[str]
) -> None:
    """Write all of `change`; `declared` are hashes of lifecycle files that are there.

    Raises:
        VersionConflict, LeaseLost: see `Store.append`; roll back what was written.

    """
    _write_transaction(connection, change)
    _check_others(connection, change)
    for record in change.records:
        values = record.transaction, record.number, record.body, record.hash
        connection.execute(_APPEND, (*values, record.moved))
    _take_away(connection, change)
    if change.opens is not None:
        _open_key(connection, change.opens)
    for closed in change.closes:
        connection.execute(
            "UPDATE kessai_answers SET outcome = ?, recorded = ? WHERE key = ?",
            (closed.outcome, encode_recorded(closed), closed.key),
        )
    for one in change.references:
        connection.execute(
            "INSERT INTO kessai_gateway_ids (account, kind, gateway_id, transaction_id)"
            " VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (one.account, one.kind, one.id, change.transaction.id),
        )
    if change.declaration is not None and change.declaration.hash not in declared:
        _declare(connection, change.declaration)


def _check_others(connection: sqlite3.Connection, change: Change) -> None:
    if change.agreement is not None:
        _check_version(connection, *change.agreement)
    if change.lease is not None:
        _check_lease(connection, change.lease)
    if change.bill is not None:
        check_bill(connection, change.bill)


def _take_away(connection: sqlite3.Connection, change: Change) -> None:
    """Take out what is forgotten or archived, which leaves no trace."""
    after, records = change.transaction, change.rewrites
    if change.removes:
        connection.execute(_REMOVE, (after.id, after.version))
    if not records:
        return
    connection.execute("PRAGMA secure_delete = ON")
    connection.executemany(
        "UPDATE kessai_events SET body = ? WHERE transaction_id = ?"  # noqa: S608 - a constant
        f" AND ({IS_DENIAL}) IN (0, 1) AND number = ? AND hash = ?",
        [(each.body, each.transaction, each.number, each.hash) for each in records],
    )


_INSERT = """
INSERT INTO kessai_states (account, lifecycle, status, version, open_since, discrepancies,
  opened_at, changed_at, due_at, state, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO NOTHING
"""

# SQLite rewrites every index on what is SET, be the value the same or not. So columns
# that most changes leave as they are are set only where they do not stay so.
_UPDATE = """
UPDATE kessai_states SET version = ?4, open_since = ?5, discrepancies = ?6, due_at = ?9,
  attempts = 0, failure = iif(?9 IS NULL, NULL, failure), state = ?10{}
WHERE id = ?11 AND version = ?12{}
"""
_OF_MOVED = ", status = ?3, changed_at = ?8"
_OF_OPENED = ", account = ?1, lifecycle = ?2, opened_at = ?7"
_UPDATES = (
    _UPDATE.format("", " AND status = ?3 AND changed_at IS ?8 AND opened_at IS ?7"),
    _UPDATE.format(_OF_MOVED, " AND opened_at IS ?7"),
    _UPDATE.format(_OF_MOVED + _OF_OPENED, ""),
)
"""Each is for more than the one before it, and finds no row that it would leave wrong."""


def _write_transaction(connection: sqlite3.Connection, change: Change) -> None:
    after, expected = change.transaction, change.expected_version
    values: tuple[object, ...] = (
        *columns_of(after, moment),
        moment(after.due_at),
        encode_transaction(after),
        after.id,
    )
    if not expected:
        if connection.execute(_INSERT, values).rowcount:
            return
    else:
        values = (*values, expected)
        for update in _UPDATES[_moves(change) :]:
            if connection.execute(update, values).rowcount:
                return
    message = f"{after.id}: not at version {expected} any more"
    raise VersionConflict(message)


def _moves(change: Change) -> bool:
    """Whether `change` surely moves its transaction in the order by the last change."""
    if not change.steps:
        return False
    before, after = change.steps[0].before, change.transaction
    return before.states != after.states or before.changed_at != after.changed_at


def _check_version(
    connection: sqlite3.Connection, transaction: str, version: int
) -> None:
    rows = connection.execute(
        "SELECT 1 FROM kessai_states WHERE id = ? AND version = ?",
        (transaction, version),
    ).fetchall()
    if not rows:
        message = f"{transaction}: not at version {version} any more"
        raise VersionConflict(message)


def check_bill(connection: sqlite3.Connection, bill: tuple[str, date, int]) -> None:
    """See that a bill still has the version that was decided on.

    Raises:
        VersionConflict: it has not.

    """
    agreement, period, version = bill
    rows = connection.execute(
        "SELECT 1 FROM kessai_bills WHERE agreement = ? AND period = ? AND version = ?",
        (agreement, period.isoformat(), version),
    ).fetchall()
    if not rows:
        message = f"the bill of {agreement} for {period} was written since"
        raise VersionConflict(message)


def _check_lease(connection: sqlite3.Connection, lease: Lease) -> None:
    rows = connection.execute(
        "SELECT 1 FROM kessai_states WHERE id = ? AND lease = ?",
        (lease.transaction, lease.number),
    ).fetchall()
    if not rows:
        message = f"{lease.transaction}: lease {lease.number} is not the last one"
        raise LeaseLost(message)


def _open_key(connection: sqlite3.Connection, opens: Recorded) -> None:
    try:
        connection.execute(
            "INSERT INTO kessai_answers (key, transaction_id, outcome, recorded)"
            " VALUES (?, ?, ?, ?)",
            (opens.key, opens.transaction, opens.outcome, encode_recorded(opens)),
        )
    except sqlite3.IntegrityError:
        message = f"key {opens.key!r} is taken"
        raise VersionConflict(message) from None


def _declare(connection: sqlite3.Connection, declared: Lifecycle) -> None:
    connection.execute(
        "INSERT INTO kessai_lifecycles (hash, name, document) VALUES (?, ?, ?)"
        " ON CONFLICT (hash) DO NOTHING",
        (declared.hash, declared.name, declared.document),
    )


# Of each account the first that is due, by its index; then the first of those.
_CLAIM = """
UPDATE kessai_states SET lease = lease + 1, leased_until = :until WHERE id = (
  SELECT id FROM kessai_states WHERE id IN (
    SELECT (
      SELECT id FROM kessai_states WHERE account = asked.value AND due_at <= :now
        AND (leased_until IS NULL OR leased_until <= :now)
      ORDER BY due_at, id LIMIT 1
    ) FROM json_each(:accounts) AS asked
  ) ORDER BY due_at, id LIMIT 1
) RETURNING id, lease, attempts, failure
"""


def claim(
    connection: sqlite3.Connection,
    now: datetime,
    until: datetime,
    accounts: Sequence[str],
) -> Lease | None:
    """See `Store.claim`."""
    asked = {
        "now": moment(now),
        "until": moment(until),
        "accounts": msgspec.json.encode(accounts).decode(),
    }
    rows = connection.execute(_CLAIM, asked).fetchall()
    return lease_of(rows, until)


def release(
    connection: sqlite3.Connection,
    lease: Lease,
    due_at: datetime,
    failure: RecoveryFailure | None,
) -> None:
    """See `Store.release`."""
    left = moment(due_at), lease.attempts + 1, encode_failure(failure)
    connection.execute(
        "UPDATE kessai_states SET leased_until = NULL,"
        " due_at = CASE WHEN due_at IS NOT NULL THEN ? END,"
        " attempts = CASE WHEN due_at IS NOT NULL THEN ? ELSE 0 END,"
        " failure = CASE WHEN due_at IS NOT NULL THEN ? END"
        " WHERE id = ? AND lease = ?",
        (*left, lease.transaction, lease.number),
    )


def moment(at: datetime | None) -> str | None:
    """A time as text that sorts by time, in whatever zone it was given."""
    if at is None:
        return None
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat()


def feed(after: str, limit: int) -> Steps[list[Published]]:
    """See `Store.feed`."""
    position = counted(after)
    found = yield Query(_FEED, {"after": position, "limit": limit})
    if not found:
        ((last,),) = yield Query(_LAST)
        check_place(after, position, last)
    return [flow.Published(str(at), Record(*columns)) for at, *columns in found]


def read_row(now: datetime | None, row: tuple[Any, ...]) -> Transaction:
    """The transaction of a row of `TRANSACTIONS`: see `decode_row`."""
    return decode_row(row, now, stored=moment)
