"""The first store: everything in this process, under one lock. Gone with the process."""

from collections.abc import Iterator
from threading import Lock

from kessai.errors import VersionConflict
from kessai.flow import Change, Loaded, Recorded
from kessai.machine import Record, Transaction
from kessai.stores.encoding import undisclosed


class MemoryStore:
    """A store for tests, trials and short-lived programs. Passes the same suite."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._transactions: dict[str, Transaction] = {}
        self._records: dict[str, list[Record]] = {}
        self._recorded: dict[str, Recorded] = {}
        self._declarations: dict[str, bytes] = {}
        self._open: set[str] = set()

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
            if after.operations:
                self._open.add(after.id)
            else:
                self._open.discard(after.id)

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
            found = [self._transactions[name] for name in self._open]
        found.sort(key=lambda t: min(o.begun_at for o in t.operations.values()))
        return [transaction.id for transaction in found[:limit]]

    def close(self) -> None:
        """See `Store.close`: nothing is held."""
