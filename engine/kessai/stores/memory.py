"""The first store: everything in this process, under one lock. Gone with the process."""

from collections.abc import Iterator
from datetime import datetime
from operator import attrgetter
from threading import Lock

import attrs

from kessai.errors import LeaseLost, VersionConflict
from kessai.flow import Change, Lease, Loaded, Recorded
from kessai.machine import Record, Transaction
from kessai.stores.encoding import undisclosed


@attrs.define
class _Schedule:
    """When an open transaction is to be recovered, and who may until when."""

    due_at: datetime
    attempts: int = 0
    leased_until: datetime | None = None


class MemoryStore:
    """A store for tests, trials and short-lived programs. Passes the same suite."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._transactions: dict[str, Transaction] = {}
        self._records: dict[str, list[Record]] = {}
        self._recorded: dict[str, Recorded] = {}
        self._declarations: dict[str, bytes] = {}
        self._schedules: dict[str, _Schedule] = {}
        self._leases: dict[str, int] = {}  # how many were given, also after the end

    def load(self, key: str | None, transaction: str, agreement: str | None) -> Loaded:
        """See `Store.load`."""
        with self._lock:
            return Loaded(
                None if key is None else self._recorded.get(key),
                self._transactions.get(transaction),
                None if agreement is None else self._transactions.get(agreement),
            )

    def append(self, change: Change) -> None:
        """See `Store.append`."""
        after = change.transaction
        with self._lock:
            self._check(after.id, change.expected_version)
            if change.agreement is not None:
                self._check(*change.agreement)
            if change.lease is not None:
                self._check_lease(change.lease)
            opens = change.opens
            if opens is not None and opens.key in self._recorded:
                message = f"key {opens.key!r} is taken"
                raise VersionConflict(message)
            self._transactions[after.id] = after
            self._records.setdefault(after.id, []).extend(change.records)
            if opens is not None:
                self._recorded[opens.key] = undisclosed(opens)
            for closed in change.closes:
                self._recorded[closed.key] = undisclosed(closed)
            if (declared := change.declaration) is not None:
                self._declarations[declared.hash] = declared.document
            self._schedule(after)

    def _schedule(self, after: Transaction) -> None:
        due_at = after.due_at
        if due_at is None:
            self._schedules.pop(after.id, None)
        elif (planned := self._schedules.get(after.id)) is None:
            self._schedules[after.id] = _Schedule(due_at)
        else:
            planned.due_at, planned.attempts = due_at, 0

    def _check_lease(self, lease: Lease) -> None:
        if self._leases.get(lease.transaction) != lease.number:
            message = f"{lease.transaction}: lease {lease.number} is not the last one"
            raise LeaseLost(message)

    def _check(self, transaction: str, version: int) -> None:
        current = self._transactions.get(transaction)
        found = 0 if current is None else current.version
        if found != version:
            message = f"{transaction}: version {found}, not {version}"
            raise VersionConflict(message)

    def records(self, transaction: str) -> list[Record]:
        """See `Store.records`."""
        with self._lock:
            return list(self._records.get(transaction, ()))

    def declaration(self, lifecycle_hash: str) -> bytes | None:
        """See `Store.declaration`."""
        with self._lock:
            return self._declarations.get(lifecycle_hash)

    def transactions(self) -> Iterator[Transaction]:
        """See `Store.transactions`."""
        with self._lock:
            found = sorted(self._transactions.items())
        return (transaction for _, transaction in found)

    def trails(self) -> Iterator[tuple[str, list[Record]]]:
        """See `Store.trails`."""
        with self._lock:
            found = sorted((name, list(trail)) for name, trail in self._records.items())
        return iter(found)

    def open_transactions(self, limit: int) -> list[str]:
        """See `Store.open_transactions`."""
        with self._lock:
            found = [self._transactions[name] for name in self._schedules]
        found.sort(key=attrgetter("open_since"))
        return [transaction.id for transaction in found[:limit]]

    def claim(self, now: datetime, until: datetime) -> Lease | None:
        """See `Store.claim`."""
        with self._lock:
            due = [
                (planned.due_at, name)
                for name, planned in self._schedules.items()
                if planned.due_at <= now
                and (planned.leased_until is None or planned.leased_until <= now)
            ]
            if not due:
                return None
            _, name = min(due)
            planned = self._schedules[name]
            planned.leased_until = until
            number = self._leases[name] = self._leases.get(name, 0) + 1
            return Lease(
                transaction=name, number=number, attempts=planned.attempts, until=until
            )

    def release(self, lease: Lease, due_at: datetime) -> None:
        """See `Store.release`."""
        with self._lock:
            planned = self._schedules.get(lease.transaction)
            is_last = self._leases.get(lease.transaction) == lease.number
            if planned is not None and is_last:
                planned.due_at = due_at
                planned.attempts = lease.attempts + 1
                planned.leased_until = None

    def unsettled(self, open_before: datetime, limit: int) -> list[str]:
        """See `Store.unsettled`."""
        with self._lock:
            found = sorted(
                transaction.id
                for transaction in self._transactions.values()
                if transaction.discrepancies or _is_open_since(transaction, open_before)
            )
        return found[:limit]

    def close(self) -> None:
        """See `Store.close`: nothing is held."""


def _is_open_since(transaction: Transaction, moment: datetime) -> bool:
    began = transaction.open_since
    return began is not None and began <= moment
