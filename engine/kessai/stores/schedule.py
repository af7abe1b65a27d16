"""When a stored transaction is due, until when it is leased, how its recovery failed.

A trail cannot prove these columns, as they change without events. But a recoverer
leaves only some values in them, and any other would keep what is open from recovery.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from kessai import flow
from kessai.errors import TrailBroken
from kessai.flow import RecoveryFailure
from kessai.limits import LONGEST_REST
from kessai.machine import Transaction

if TYPE_CHECKING:  # who lists transactions needs only what they are
    from kessai.flow import Lease

MOST_ATTEMPTS = 10**9
"""More than a recoverer can make: each one makes the pause longer, up to hours."""

_failures = msgspec.json.Decoder(RecoveryFailure)


def encode_failure(failure: RecoveryFailure | None) -> str | None:
    """A failure as a text; None for none."""
    return None if failure is None else msgspec.json.encode(failure).decode()


def decode_failure(text: str | None) -> RecoveryFailure | None:
    """What `encode_failure` wrote; None for anything else: it must stop no recovery."""
    try:
        return None if text is None else _failures.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def lease_of(rows: Iterable[Sequence[Any]], until: datetime) -> Lease | None:
    """The lease that a claim was given in its one row; None for no row."""
    for name, number, attempts, failure in rows:
        return flow.Lease(
            transaction=name,
            number=number,
            attempts=attempts,
            until=until,
            failure=decode_failure(failure),
        )
    return None


class Schedule(NamedTuple):
    """The columns of a row, times as the database keeps them."""

    due_at: Any
    attempts: int
    lease: int
    leased_until: Any
    failure: str | None

    def check(
        self,
        transaction: Transaction,
        stored: Callable[[datetime | None], Any],
        now: datetime | None,
    ) -> None:
        """Make sure that `transaction` will be recovered; its state is believed.

        `stored` is the form that the database has of a time. Without `now` a lease and
        a rest may last for ever.

        Raises:
            TrailBroken: no recoverer leaves such values.

        """
        is_idle = self.due_at is self.leased_until is self.failure is None
        if is_idle and not (self.attempts or transaction.operations or self.lease < 0):
            return  # as nearly always
        wrong = [*self._contradictions(transaction, stored)]
        if now is not None and not wrong:
            wrong += self._too_late(transaction, stored, now)
        if wrong:
            raise TrailBroken(
                ", ".join(wrong), transaction=transaction.id, code="recovery_prevented"
            )

    def _contradictions(
        self, transaction: Transaction, stored: Callable[[datetime | None], Any]
    ) -> Iterator[str]:
        due_at, attempts, lease, leased_until, failure = self
        right = stored(transaction.due_at)
        is_late = None not in (due_at, right) and due_at > right and not attempts
        if is_late or (due_at is None) != (right is None):
            yield f"due_at {due_at}"
        if not 0 <= attempts <= MOST_ATTEMPTS * (lease > 0 and right is not None):
            yield f"attempts {attempts}"
        if lease < 0 or (leased_until is not None and not lease):
            yield f"lease {lease}"
        has_failed = decode_failure(failure) is not None
        if failure is not None and (not has_failed or right is None):
            yield f"failure {failure}"

    def _too_late(
        self,
        transaction: Transaction,
        stored: Callable[[datetime | None], Any],
        now: datetime,
    ) -> Iterator[str]:
        # Twice, as clocks differ and an audit of much takes long.
        latest = max(now, transaction.due_at or now) + 2 * LONGEST_REST
        if self.leased_until is not None and self.leased_until > stored(latest):
            yield f"leased_until {self.leased_until}"
        stated = [o.not_before for o in transaction.operations.values() if o.not_before]
        if self.due_at is not None and self.due_at > stored(max([latest, *stated])):
            yield f"due_at {self.due_at}"
