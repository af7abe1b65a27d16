"""One run of a lifecycle, as it stands after its last event. Never changed, only made anew.

Amounts are integers in minor units of `currency`; times are aware and in UTC.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import attrs


class Phase(StrEnum):
    """How far an open operation is."""

    BEGUN = "begun"  # the intent is durable; a call may be on its way
    PENDING = "pending"  # the gateway accepted it and will tell
    UNKNOWN = "unknown"  # no evidence: only evidence ends it, never time


@attrs.frozen
class Operation:
    """One command being carried out.

    `id` is the transaction's id and the number of the event that began it; the key sent
    to the gateway derives from it, so a resend is the same request.
    """

    id: str
    command: str
    key: str
    request: str
    amount: int | None
    parameters: Mapping[str, Any] = attrs.field(repr=False)
    begun_at: datetime
    phase: Phase = Phase.BEGUN


@attrs.frozen
class Transaction:
    """A transaction: states by track, amounts by name, and what is still open.

    `version` counts its events and `head` is the hash of the last. A transaction with
    no `lifecycle` never came to be: its chain holds refused attempts, and evidence that
    fits nothing. `flags` are those of its application, worth 1 or 0 in expressions.
    `discrepancies` are the numbers of the events whose evidence fits nothing.
    """

    id: str
    lifecycle: str = ""
    lifecycle_hash: str = ""
    currency: str = ""
    agreement: str | None = None
    states: Mapping[str, str] = attrs.field(factory=dict[str, str])
    amounts: Mapping[str, int] = attrs.field(factory=dict[str, int])
    flags: Mapping[str, int] = attrs.field(factory=dict[str, int])
    deadlines: Mapping[str, datetime] = attrs.field(factory=dict[str, datetime])
    operations: Mapping[str, Operation] = attrs.field(factory=dict[str, Operation])
    discrepancies: tuple[int, ...] = ()
    version: int = 0
    head: str = ""

    @property
    def exists(self) -> bool:
        """Whether an application was ever begun under this id."""
        return bool(self.lifecycle)

    @property
    def status(self) -> str:
        """The states of all tracks in one word each: `payment.captured`."""
        return " ".join(f"{track}.{state}" for track, state in self.states.items())

    def names(self, amount: int | None) -> dict[str, int]:
        """What expressions may name: amounts, flags, and the operation's `amount`."""
        return {**self.amounts, **self.flags, "amount": amount or 0}
