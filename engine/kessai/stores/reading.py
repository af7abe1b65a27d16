"""What SQLite and PostgreSQL read alike, written once: queries out, rows in.

Nothing here waits, and nothing here knows whether the shell around it is synchronous.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING

from kessai import flow
from kessai.closable import Closable
from kessai.machine import Record
from kessai.stores import feed
from kessai.stores.encoding import decode_recorded, decode_transaction
from kessai.stores.protocol import ForeignObject, StatusGroup
from kessai.stores.query import PAGE, Query, Row, Steps, T
from kessai.stores.schedule import decode_failure
from kessai.stores.searching import search, status_groups

if TYPE_CHECKING:  # who lists transactions needs only what they are
    from datetime import datetime

    from kessai.flow import (
        Loaded,
        RecoveryFailure,
        Reference,
        Search,
        SearchResult,
        Subscriber,
    )

TRANSACTIONS = (
    "SELECT id, account, lifecycle, status, version, open_since, discrepancies,"
    " opened_at, changed_at, due_at, attempts, lease, leased_until, failure, state"
    " FROM kessai_states ORDER BY id"
)
"""Rows for `decode_row`."""

ANSWERS = (
    "SELECT transaction_id, key, outcome, recorded FROM kessai_answers"
    " ORDER BY transaction_id, key"
)
"""Rows for `Answered`."""

REFERENCES = (
    "SELECT transaction_id, account, kind, gateway_id FROM kessai_gateway_ids"
    " ORDER BY transaction_id, account, kind, gateway_id"
)
"""Rows for `referring`."""

_LOAD = """
SELECT 0, recorded FROM kessai_answers WHERE key = :key
UNION ALL SELECT 1, state FROM kessai_states WHERE id = :transaction
"""
_LOAD_WITH_AGREEMENT = f"""{_LOAD}
UNION ALL SELECT 2, state FROM kessai_states WHERE id = :agreement
"""  # noqa: S608 - constants

_RECORDS = """
SELECT transaction_id, number, body, hash, moved FROM kessai_events
WHERE transaction_id = :transaction ORDER BY number
"""

_RECORDS_FROM = """
SELECT transaction_id, number, body, hash, moved FROM kessai_events
WHERE transaction_id = :transaction AND number >= :first ORDER BY number LIMIT :limit
"""

_FIND = """
SELECT transaction_id FROM kessai_gateway_ids
WHERE account = :account AND kind = :kind AND gateway_id = :name
ORDER BY transaction_id
"""

_OPEN = """
SELECT id FROM kessai_states WHERE due_at IS NOT NULL
ORDER BY open_since, id LIMIT :limit
"""

_UNRESOLVED = """
SELECT id FROM kessai_states WHERE discrepancies > 0
UNION SELECT id FROM kessai_states
WHERE due_at IS NOT NULL
  AND (open_since <= :open_before OR failure IS NOT NULL)
ORDER BY id LIMIT :limit
"""


def load(key: str | None, transaction: str, agreement: str | None) -> Steps[Loaded]:
    """`Store.load`: one statement, so one moment."""
    values = {"key": key, "transaction": transaction, "agreement": agreement}
    text = _LOAD if agreement is None else _LOAD_WITH_AGREEMENT
    found: dict[int, bytes] = dict((yield Query(text, values)))
    recorded, own, other = (found.get(part) for part in range(3))
    return flow.Loaded(
        None if recorded is None else decode_recorded(recorded),
        None if own is None else decode_transaction(own),
        None if other is None else decode_transaction(other),
    )


def records(transaction: str, but_denials: str | None = None) -> Steps[list[Record]]:
    """`Store.records`; those `but_denials` by a statement of the database's own."""
    rows = yield Query(but_denials or _RECORDS, {"transaction": transaction})
    return [Record(*row) for row in rows]


def records_from(
    transaction: str, first: int, text: str = _RECORDS_FROM
) -> Steps[list[Record]]:
    """`Store.records_from`, by a statement of the database's own if it has one."""
    values = {"transaction": transaction, "first": first, "limit": PAGE}
    return [Record(*row) for row in (yield Query(text, values))]


def declaration(lifecycle_hash: str) -> Steps[bytes | None]:
    """`Store.declaration`."""
    query = "SELECT document FROM kessai_lifecycles WHERE hash = :hash"
    rows = yield Query(query, {"hash": lifecycle_hash})
    document: bytes | None = rows[0][0] if rows else None
    return document


def find(account: str, kind: str, name: str) -> Steps[list[str]]:
    """`Store.find`."""
    return _names(
        (yield Query(_FIND, {"account": account, "kind": kind, "name": name}))
    )


def accounts() -> Steps[list[str]]:
    """`Store.accounts`."""
    groups = yield from status_groups()
    return sorted({group.account for group in groups})


def open_transactions(limit: int) -> Steps[list[str]]:
    """`Store.open_transactions`."""
    return _names((yield Query(_OPEN, {"limit": limit})))


def unresolved(open_before: object, limit: int) -> Steps[list[str]]:
    """`Store.unresolved`; the moment is one as the database keeps it."""
    values = {"open_before": open_before, "limit": limit}
    return _names((yield Query(_UNRESOLVED, values)))


def recovery_failure(transaction: str) -> Steps[RecoveryFailure | None]:
    """`Store.recovery_failure`."""
    query = "SELECT failure FROM kessai_states WHERE id = :id"
    rows = yield Query(query, {"id": transaction})
    return decode_failure(rows[0][0]) if rows else None


def foreign_objects(
    text: str, tables: Iterable[str] = ()
) -> Steps[list[ForeignObject]]:
    """`Store.foreign_objects`, by a statement of the database's own."""
    rows = yield Query(text, {"tables": list(tables)})
    return [ForeignObject(*row) for row in rows]


def referring(row: Row) -> tuple[str, Reference]:
    """A row of `REFERENCES`."""
    transaction, *reference = row
    return transaction, flow.Reference(*reference)


def _names(rows: list[Row]) -> list[str]:
    return [name for (name,) in rows]


class ReadingStore(Closable, ABC):
    """The part of `Store` that reads by single queries."""

    _but_denials: str
    """The statement for `records` without those of refused attempts."""

    @abstractmethod
    def _perform(self, step: Steps[T]) -> T:
        """Ask the database what `step` asks for."""

    def load(self, key: str | None, transaction: str, agreement: str | None) -> Loaded:
        """See `Store.load`."""
        return self._perform(load(key, transaction, agreement))

    def records(self, transaction: str, *, denials: bool = True) -> list[Record]:
        """See `Store.records`."""
        return self._perform(
            records(transaction, None if denials else self._but_denials)
        )

    def records_from(self, transaction: str, first: int) -> list[Record]:
        """See `Store.records_from`."""
        return self._perform(records_from(transaction, first))

    def declaration(self, lifecycle_hash: str) -> bytes | None:
        """See `Store.declaration`."""
        return self._perform(declaration(lifecycle_hash))

    def find(self, account: str, kind: str, name: str) -> list[str]:
        """See `Store.find`."""
        return self._perform(find(account, kind, name))

    def search(self, asked: Search) -> SearchResult:
        """See `Store.search`."""
        return self._perform(search(asked))

    def status_groups(self) -> list[StatusGroup]:
        """See `Store.status_groups`."""
        return self._perform(status_groups())

    def accounts(self) -> list[str]:
        """See `Store.accounts`."""
        return self._perform(accounts())

    def open_transactions(self, limit: int) -> list[str]:
        """See `Store.open_transactions`."""
        return self._perform(open_transactions(limit))

    def recovery_failure(self, transaction: str) -> RecoveryFailure | None:
        """See `Store.recovery_failure`."""
        return self._perform(recovery_failure(transaction))

    def unresolved(self, open_before: datetime, limit: int) -> list[str]:
        """See `Store.unresolved`."""
        return self._perform(unresolved(open_before, limit))

    def misplaced(self) -> list[tuple[str, int]]:
        """See `Store.misplaced`."""
        return self._perform(feed.misplaced())

    def subscriber(self, name: str) -> Subscriber:
        """See `Store.subscriber`."""
        return self._perform(feed.subscriber(name))

    def subscribers(self) -> list[Subscriber]:
        """See `Store.subscribers`."""
        return self._perform(feed.subscribers())
