"""What every store promises. The conformance suite asks each for all of it.

A store keeps three things: transactions as they stand, their records (append-only),
and what came of each key. One `append` writes them together or not at all, durably,
and only if nobody else moved the transaction meanwhile.
"""

from collections.abc import Iterator
from typing import Protocol

from kessai.flow import Change, Loaded
from kessai.machine import Record, Transaction


class Store(Protocol):
    """The store protocol. All methods may be called from several threads."""

    def load(self, key: str | None, transaction: str, agreement: str | None) -> Loaded:
        """A key's record, a transaction and its agreement, read at one moment."""
        ...

    def append(self, change: Change) -> None:
        """Write `change` durably, whole or not at all.

        Raises:
            VersionConflict: the transaction or the agreement has another version, or
                the key is taken. Nothing was written.
            StoreBusy: another process did not let go in time. Nothing was written.
            StoreFailed: there was no room, or no permission. Nothing was written.
            CommitUnknown: the commit failed; it may or may not be there.

        """
        ...

    def records(self, transaction: str) -> list[Record]:
        """The records of a transaction, in order."""
        ...

    def declaration(self, lifecycle_hash: str) -> bytes | None:
        """The document of a lifecycle file that records are bound to."""
        ...

    def transactions(self) -> Iterator[Transaction]:
        """All transactions as they stand, sorted by id, read at one moment.

        Each `next` may raise `TrailBroken` for a stored transaction that does not hold;
        the iteration goes on with the one after it.
        """
        ...

    def trails(self) -> Iterator[tuple[str, list[Record]]]:
        """All records, a transaction at a time, sorted by id, read at one moment."""
        ...

    def open_transactions(self, limit: int) -> list[str]:
        """The ids of at most `limit` transactions with open operations.

        Those whose oldest open operation began first come first.
        """
        ...

    def close(self) -> None:
        """Let go of everything held. The store cannot be used afterwards."""
        ...
