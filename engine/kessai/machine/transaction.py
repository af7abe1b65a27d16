"""One run of a lifecycle, as it stands after its last event. It is never changed.

Amounts are integers in minor units of `currency`; times are aware and in UTC.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import attrs
import msgspec

from kessai.frozen import of_fields
from kessai.limits import REPLY_WITHIN
from kessai.machine.phase import Phase
from kessai.outcomes import Outcome, Source

if TYPE_CHECKING:  # who lists transactions needs no evidence
    from kessai.gateway import Evidence


@attrs.frozen
class Operation:
    """One command being carried out.

    `id` is the transaction's id and the number of the event that began it.
    `last_sent_at` is when its request was last about to be sent, where an event of its
    own says so: the first sending of a prepared one, or a resend. `resumed_at` is when
    what the consumer came back with was last sent on. `currency` is that of the
    transaction that it opens; None if it opens none. `references` are the gateway's ids
    for the transaction as they were known when it began, `agreement_references` those
    for its agreement. Before `not_before` the gateway must not be asked about it.
    `finish_within` is how long the gateway lets a consumer finish it; None if no
    consumer has a part in it.
    """

    id: str
    command: str
    key: str
    request: str
    amount: int | None
    parameters: Mapping[str, Any] = attrs.field(repr=False)
    begun_at: datetime
    phase: Phase = Phase.BEGUN
    last_sent_at: datetime | None = None
    currency: str | None = None
    references: Mapping[str, str] = attrs.field(factory=dict)
    agreement_references: Mapping[str, str] = attrs.field(factory=dict)
    resumed_at: datetime | None = None
    not_before: datetime | None = None
    finish_within: timedelta | None = None

    @property
    def sent_at(self) -> datetime:
        """When its request was last about to be sent: the in-flight limit's start."""
        return self.resumed_at or self.last_sent_at or self.begun_at

    @property
    def finish_by(self) -> datetime | None:
        """Until when it waits for its consumer; None if it does not wait for one.

        Counted from when it was last sent: the gateway may have begun to wait only then.
        """
        is_waiting = self.phase is Phase.PENDING and self.resumed_at is None
        if self.finish_within is None or not is_waiting:
            return None
        return self.sent_at + self.finish_within

    def is_awaited(self, at: datetime) -> bool:
        """Whether somebody may still wait for the reply to its request at `at`."""
        return self.phase is Phase.BEGUN and at < self.due_at

    @property
    def due_at(self) -> datetime:
        """When an inquiry about it is due; the caller of a begun one still waits.

        So does the shop that has prepared one: it is about to carry it out.
        """
        is_held = self.phase in {Phase.PREPARED, Phase.BEGUN}
        due = self.sent_at + REPLY_WITHIN if is_held else self.begun_at
        return due if self.not_before is None else max(due, self.not_before)


REMEMBERED = 16
"""How many of the notifications that ended an operation a transaction remembers."""


class Notified(msgspec.Struct, frozen=True):
    """An item of a notification that ended an operation: what identifies it."""

    command: str | None
    outcome: Outcome
    amount: int | None
    exchange: str

    @classmethod
    def of(cls, evidence: "Evidence") -> "Notified | None":
        """What identifies `evidence`; None if the gateway gave it no id."""
        if evidence.source is not Source.NOTIFICATION or evidence.exchange is None:
            return None
        return cls(
            evidence.command, evidence.outcome, evidence.amount, evidence.exchange
        )


def remember(known: tuple[Notified, ...], last: Notified) -> tuple[Notified, ...]:
    """`known` and `last`, without the oldest if they are too many."""
    return (*known[1 - REMEMBERED :], last)


class OpenDiscrepancy(msgspec.Struct, frozen=True):
    """An open discrepancy: its reason, and what its evidence stated.

    It is what `kessai.machine.explained` knows the same evidence by, when that is
    applied later. Amounts are in minor units.
    """

    reason: str
    source: Source
    command: str | None
    outcome: Outcome
    amount: int | None
    exchange: str | None
    totals: Mapping[str, int] = msgspec.field(default_factory=dict)

    @classmethod
    def of(cls, reason: str, evidence: "Evidence") -> "OpenDiscrepancy":
        """The discrepancy that `evidence` is, for `reason`."""
        return cls(
            reason,
            evidence.source,
            evidence.command,
            evidence.outcome,
            evidence.amount,
            evidence.exchange,
            evidence.totals,
        )


class Unclaimed(msgspec.Struct, frozen=True):
    """A movement at the gateway that `event` shows and no operation asked for.

    `amount` is None if it is not stated, or if `command` takes none. With `is_sum` it
    may be several movements together.
    """

    event: int
    command: str
    amount: int | None = None
    is_sum: bool = False


class Changes(TypedDict, total=False):
    """What one event changes of a transaction: the fields, with their new values."""

    lifecycle: str
    lifecycle_hash: str
    currency: str
    agreement: str | None
    account: str
    flags: Mapping[str, int]
    states: Mapping[str, str]
    amounts: Mapping[str, int]
    deadlines: Mapping[str, datetime]
    operations: Mapping[str, Operation]
    discrepancies: Mapping[int, OpenDiscrepancy]
    denials: int
    concluded: tuple[str, ...]
    notified: tuple[Notified, ...]
    references: Mapping[str, str]
    unclaimed: tuple[Unclaimed, ...]
    opened_at: datetime
    changed_at: datetime
    archived: str


@attrs.frozen(slots=False)  # see `of_fields`
class Transaction:
    """A transaction: states by track, amounts by name, and what is still open.

    `version` counts its events and `head` is the hash of the last. A transaction with
    no `lifecycle` was never opened: its chain holds denials and discrepancies. `flags`
    are those of its opening command, worth 1 or 0 in expressions. `discrepancies` are
    those that are open, by the numbers of their events. `concluded` names the commands
    that had an outcome before, the engine's or an external one, and `notified` are the
    last notified items that ended an operation. From these two it can be decided,
    without the trail, whether the next notification can be applied alone. `references` are the
    gateway's ids for it, by the adapter's names for them, in its `account` with the
    gateway. `denials` counts the denials among its events: whoever reads the others
    knows by it that none is missing. `unclaimed` are external movements, until an
    operator closes them: see `kessai.machine.unclaimed`, which knows of others.
    `opened_at` is when its opening command was begun, and `changed_at` when it was
    changed last: by what was recorded then, and was neither a denial nor an intent.
    `archived` names the archive that it belongs to: nothing is done with it any more.
    Where it was removed to that, only its version and its head are known besides.
    """

    id: str
    lifecycle: str = ""
    lifecycle_hash: str = ""
    currency: str = ""
    agreement: str | None = None
    states: Mapping[str, str] = attrs.field(factory=dict)
    amounts: Mapping[str, int] = attrs.field(factory=dict)
    flags: Mapping[str, int] = attrs.field(factory=dict)
    deadlines: Mapping[str, datetime] = attrs.field(factory=dict)
    operations: Mapping[str, Operation] = attrs.field(factory=dict)
    discrepancies: Mapping[int, OpenDiscrepancy] = attrs.field(factory=dict)
    concluded: tuple[str, ...] = ()
    notified: tuple[Notified, ...] = ()
    version: int = 0
    head: str = ""
    references: Mapping[str, str] = attrs.field(factory=dict)
    account: str = ""
    denials: int = 0
    unclaimed: tuple[Unclaimed, ...] = ()
    opened_at: datetime | None = None
    changed_at: datetime | None = None
    archived: str = ""

    @property
    def is_removed(self) -> bool:
        """Whether only its archive has it."""
        return bool(self.archived) and not self.exists

    @property
    def exists(self) -> bool:
        """Whether an opening command was ever begun under this id."""
        return bool(self.lifecycle)

    @property
    def unclaimed_events(self) -> tuple[int, ...]:
        """The numbers of the external events that no operator has closed."""
        return tuple(movement.event for movement in self.unclaimed)

    @property
    def open_since(self) -> datetime | None:
        """Since when its operations are open for too long; None if none is open.

        From its beginning. One that waits for its consumer, from when their time is over:
        nobody needs to look after it before.
        """
        if not self.operations:  # as nearly always, and this is asked of every row
            return None
        return min(o.finish_by or o.begun_at for o in self.operations.values())

    @property
    def due_at(self) -> datetime | None:
        """When an inquiry about its open operations is due; None if none is open."""
        if not self.operations:
            return None
        return min([operation.due_at for operation in self.operations.values()])

    @property
    def status(self) -> str:
        """The states of all tracks, one word each: `payment.captured`."""
        return " ".join(f"{track}.{state}" for track, state in self.states.items())

    def next(self, **changes: Unpack[Changes]) -> "Transaction":
        """The transaction one version later, with the given fields replaced."""
        return self._with({**changes, "version": self.version + 1})

    def with_head(self, head: str) -> "Transaction":
        """The transaction with `head` as the hash of its last event."""
        return self._with({"head": head})

    def _with(self, fields: Mapping[str, Any]) -> "Transaction":
        """As `attrs.evolve`, in a fifth of its time: every event makes two."""
        return of_fields(Transaction, {**vars(self), **fields})

    def names(self, amount: int | None = None) -> dict[str, int]:
        """The names for expressions: amounts, flags, and the operation's `amount`."""
        return {**self.amounts, **self.flags, "amount": amount or 0}
