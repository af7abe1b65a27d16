"""The first store: everything in this process, under one lock, and gone with it."""

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property, partial
from itertools import islice
from operator import attrgetter
from threading import Lock
from typing import TYPE_CHECKING

import attrs

from kessai.closable import Closable
from kessai.errors import LeaseLost, StoreUnsuitable, VersionConflict
from kessai.flow import (
    Change,
    Lease,
    Loaded,
    Published,
    Recorded,
    RecoveryFailure,
    Reference,
    Search,
    SearchResult,
    Subscriber,
)
from kessai.machine import DENIAL, Record, Transaction
from kessai.stores.bills import SQLITE, Bills
from kessai.stores.encoding import Answered, undisclosed
from kessai.stores.feed import check_place, counted, outrun
from kessai.stores.protocol import ForeignObject, StatusGroup, Within
from kessai.stores.query import PAGE, Query, Row, Steps, T, perform

if TYPE_CHECKING:
    from sqlite3 import Connection


@attrs.define
class _Schedule:
    """When an open transaction is to be recovered."""

    due_at: datetime
    attempts: int = 0
    failure: RecoveryFailure | None = None


@attrs.define
class _Leases:
    """How many leases of a transaction were given, and until when the last one lasts.

    A lease may outlast the operation that it was given for; another may begin then.
    """

    given: int = 0
    until: datetime | None = None


class MemoryStore(Closable):
    """A store for tests, trials and short-lived programs. It passes the same suite.

    It belongs to the process that made it. A child that is forked has a copy, which
    nobody else would see change: there every method raises `StoreUnsuitable`.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._process = os.getpid()
        self._transactions: dict[str, Transaction] = {}
        self._records: dict[str, list[Record]] = {}
        self._weighed: dict[str, list[Record]] = {}  # without denials
        self._feed: list[Published] = []
        self._subscribers: dict[str, Subscriber] = {}
        self._recorded: dict[str, Recorded] = {}
        self._declarations: dict[str, bytes] = {}
        self._referring: dict[Reference, set[str]] = {}
        self._schedules: dict[str, _Schedule] = {}
        self._leases: dict[str, _Leases] = {}

    def _own(self) -> Lock:
        if self._process != os.getpid():
            message = (
                "memory: a store in memory belongs to one process, and this one was"
                " forked from it; use a file or a database"
            )
            raise StoreUnsuitable(message)
        return self._lock

    @cached_property
    def bills(self) -> Bills:
        """See `BillStore`: there is a database for them, in this process alone."""
        return Bills(SQLITE, self._on_bills, self._on_bills)

    @cached_property
    def _billing(self) -> "Connection":
        from sqlite3 import connect  # who bills nothing needs no database

        from kessai.stores.schema import BILLS

        connection = connect(":memory:", isolation_level=None, check_same_thread=False)
        connection.executescript(BILLS)
        return connection

    def _on_bills(self, step: Steps[T]) -> T:
        with self._own():
            connection = self._billing
            connection.execute("BEGIN")
            try:
                result = perform(step, partial(_rows, connection))
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
            return result

    def load(self, key: str | None, transaction: str, agreement: str | None) -> Loaded:
        """See `Store.load`."""
        with self._own():
            return Loaded(
                None if key is None else self._recorded.get(key),
                self._transactions.get(transaction),
                None if agreement is None else self._transactions.get(agreement),
            )

    def append(self, change: Change) -> None:
        """See `Store.append`."""
        after = change.transaction
        _check_keeps(change)
        with self._own():
            self._check_all(change)
            opens = change.opens
            if opens is not None and opens.key in self._recorded:
                message = f"key {opens.key!r} is taken"
                raise VersionConflict(message)
            self._transactions[after.id] = after
            self._keep(after.id, change.records)
            self._rewrite(after.id, change.rewrites)
            if opens is not None:
                self._recorded[opens.key] = undisclosed(opens)
            for closed in change.closes:
                self._recorded[closed.key] = undisclosed(closed)
            if (declared := change.declaration) is not None:
                self._declarations[declared.hash] = declared.document
            for reference in change.references:
                self._referring.setdefault(reference, set()).add(after.id)
            self._schedule(after)

    def _check_all(self, change: Change) -> None:
        self._check(change.transaction.id, change.expected_version)
        if change.agreement is not None:
            self._check(*change.agreement)
        if change.lease is not None:
            self._check_lease(change.lease)
        if change.bill is not None:
            from kessai.stores.sqlite_rows import check_bill

            check_bill(self._billing, change.bill)

    def _keep(self, transaction: str, records: Sequence[Record]) -> None:
        self._records.setdefault(transaction, []).extend(records)
        self._weighed.setdefault(transaction, []).extend(
            [record for record in records if DENIAL not in record.body]
        )
        for place, record in enumerate(records, len(self._feed) + 1):
            self._feed.append(Published(str(place), record))

    def _rewrite(self, transaction: str, records: Sequence[Record]) -> None:
        left = {record.number: record for record in records}
        if not left:
            return
        for trail in (self._records[transaction], self._weighed[transaction]):
            trail[:] = [left.get(record.number, record) for record in trail]
        for place, each in enumerate(self._feed):
            held = each.record
            if held.transaction == transaction and held.number in left:
                self._feed[place] = Published(each.position, left[held.number])

    def _schedule(self, after: Transaction) -> None:
        due_at = after.due_at
        if due_at is None:
            self._schedules.pop(after.id, None)
        elif (planned := self._schedules.get(after.id)) is None:
            self._schedules[after.id] = _Schedule(due_at)
        else:
            planned.due_at, planned.attempts = due_at, 0

    def _check_lease(self, lease: Lease) -> None:
        if not self._is_last(lease):
            message = f"{lease.transaction}: lease {lease.number} is not the last one"
            raise LeaseLost(message)

    def _is_last(self, lease: Lease) -> bool:
        leases = self._leases.get(lease.transaction)
        return leases is not None and leases.given == lease.number

    def _is_leased(self, transaction: str, now: datetime) -> bool:
        leases = self._leases.get(transaction)
        return leases is not None and leases.until is not None and now < leases.until

    def _check(self, transaction: str, version: int) -> None:
        current = self._transactions.get(transaction)
        found = 0 if current is None else current.version
        if found != version:
            message = f"{transaction}: version {found}, not {version}"
            raise VersionConflict(message)

    def records(self, transaction: str, *, denials: bool = True) -> list[Record]:
        """See `Store.records`."""
        with self._own():
            kept = self._records if denials else self._weighed
            return list(kept.get(transaction, ()))

    def records_from(self, transaction: str, first: int) -> list[Record]:
        """See `Store.records_from`."""
        found = (each for each in self.records(transaction) if each.number >= first)
        return [*islice(found, PAGE)]

    def declaration(self, lifecycle_hash: str) -> bytes | None:
        """See `Store.declaration`."""
        with self._own():
            return self._declarations.get(lifecycle_hash)

    def find(self, account: str, kind: str, name: str) -> list[str]:
        """See `Store.find`."""
        with self._own():
            return sorted(self._referring.get(Reference(account, kind, name), ()))

    def search(self, asked: Search) -> SearchResult:
        """See `Store.search`: all are looked at, as there are few."""
        with self._own():
            held = [*self._transactions.values()]
        return asked.result(
            each for each in held if asked.matches(each) and asked.is_next(each)
        )

    def transactions(self, now: datetime | None = None) -> Iterator[Transaction]:
        """See `Store.transactions`: nobody else writes here, so all of them hold."""
        del now
        with self._own():
            found = sorted(self._transactions.items())
        return (transaction for _, transaction in found)

    def trails(self) -> Iterator[tuple[str, list[Record]]]:
        """See `Store.trails`."""
        with self._own():
            found = sorted((name, list(trail)) for name, trail in self._records.items())
        return (
            (name, trail[first : first + PAGE])
            for name, trail in found
            for first in range(0, len(trail), PAGE)
        )

    def answers(self) -> Iterator[Answered]:
        """See `Store.answers`."""
        with self._own():
            found = [Answered.of(recorded) for recorded in self._recorded.values()]
        return iter(sorted(found, key=attrgetter("transaction", "key")))

    def references(self) -> Iterator[tuple[str, Reference]]:
        """See `Store.references`."""
        with self._own():
            found = [
                (name, each)
                for each, names in self._referring.items()
                for name in names
            ]
        return iter(sorted(found, key=lambda each: (each[0], attrs.astuple(each[1]))))

    def foreign_objects(self) -> list[ForeignObject]:
        """See `Store.foreign_objects`: there are no tables."""
        return []

    def open_transactions(self, limit: int) -> list[str]:
        """See `Store.open_transactions`."""
        with self._own():
            found = [self._transactions[name] for name in self._schedules]
        found.sort(key=attrgetter("open_since"))
        return [transaction.id for transaction in found[:limit]]

    def status_groups(self) -> list[StatusGroup]:
        """See `Store.status_groups`."""
        with self._own():
            held = [each for each in self._transactions.values() if each.exists]
        return sorted({StatusGroup(t.account, t.lifecycle, t.status) for t in held})

    def accounts(self) -> list[str]:
        """See `Store.accounts`."""
        return sorted({group.account for group in self.status_groups()})

    def claim(
        self, now: datetime, until: datetime, accounts: Sequence[str]
    ) -> Lease | None:
        """See `Store.claim`."""
        with self._own():
            due = [
                (planned.due_at, name)
                for name, planned in self._schedules.items()
                if planned.due_at <= now
                and not self._is_leased(name, now)
                and self._transactions[name].account in accounts
            ]
            if not due:
                return None
            _, name = min(due)
            leases = self._leases.setdefault(name, _Leases())
            leases.given, leases.until = leases.given + 1, until
            planned = self._schedules[name]
            return Lease(
                transaction=name,
                number=leases.given,
                attempts=planned.attempts,
                until=until,
                failure=planned.failure,
            )

    def release(
        self, lease: Lease, due_at: datetime, failure: RecoveryFailure | None = None
    ) -> None:
        """See `Store.release`."""
        with self._own():
            if not self._is_last(lease):
                return
            self._leases[lease.transaction].until = None
            planned = self._schedules.get(lease.transaction)
            if planned is not None:
                planned.due_at = due_at
                planned.attempts = lease.attempts + 1
                planned.failure = failure

    def recovery_failure(self, transaction: str) -> RecoveryFailure | None:
        """See `Store.recovery_failure`."""
        with self._own():
            planned = self._schedules.get(transaction)
            return planned.failure if planned else None

    def unresolved(self, open_before: datetime, limit: int) -> list[str]:
        """See `Store.unresolved`."""
        with self._own():
            found = sorted(
                transaction.id
                for transaction in self._transactions.values()
                if transaction.discrepancies
                or _is_open_since(transaction, open_before)
                or self._has_failed(transaction.id)
            )
        return found[:limit]

    def _has_failed(self, transaction: str) -> bool:
        planned = self._schedules.get(transaction)
        return planned is not None and planned.failure is not None

    def within(self, connection: object) -> Within:
        """See `Store.within`: there is no database."""
        del connection
        message = (
            "memory: a store in memory has no part in a shop's database transaction"
        )
        raise StoreUnsuitable(message)

    def feed(self, after: str, limit: int) -> list[Published]:
        """See `Store.feed`: a position is a place in the list."""
        first = counted(after)
        with self._own():
            check_place(after, first, len(self._feed))
            return self._feed[first : first + limit]

    def held_back(self) -> Record | None:
        """See `Store.held_back`: all that is stored can be read."""
        return None

    def misplaced(self) -> list[tuple[str, int]]:
        """See `Store.misplaced`: nobody else writes here."""
        return []

    def subscriber(self, name: str) -> Subscriber:
        """See `Store.subscriber`."""
        with self._own():
            return self._subscribers.get(name) or Subscriber(name=name)

    def subscribers(self) -> list[Subscriber]:
        """See `Store.subscribers`."""
        with self._own():
            return [self._subscribers[name] for name in sorted(self._subscribers)]

    def advance(self, subscriber: Subscriber) -> None:
        """See `Store.advance`."""
        with self._own():
            known = self._subscribers.get(subscriber.name)
            if (known.version if known else 0) != subscriber.version - 1:
                raise outrun(subscriber)
            self._subscribers[subscriber.name] = subscriber

    def scrub(self) -> None:
        """See `Store.scrub`: there are no files."""

    def close(self) -> None:
        """See `Store.close`: nothing is held."""
        if "_billing" in vars(self):
            self._billing.close()


def _rows(connection: "Connection", query: Query) -> list[Row]:
    return connection.execute(query.text, query.values).fetchall()


def _check_keeps(change: Change) -> None:
    if change.removes:
        message = "memory: a store in memory removes no events"
        raise StoreUnsuitable(message)


def _is_open_since(transaction: Transaction, moment: datetime) -> bool:
    began = transaction.open_since
    return began is not None and began <= moment
