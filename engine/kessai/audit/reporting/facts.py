"""What a report shows, before it is words or pictures: counts and the first finds."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import attrs

from kessai.audit.coverage.totals import Covered
from kessai.audit.reporting.spans import Spans
from kessai.audit.verification.report import FaultTally, FoundDiscrepancy, Report
from kessai.machine import Denied, Operation, Reason, Transaction
from kessai.spec import Lifecycle


@attrs.frozen
class Refusal:
    """Why a command is refused: the command, the reason's code and its rule."""

    command: str
    code: str
    rule: str


@attrs.frozen
class Example:
    """The first refusal of its kind: whose, and the reason with the values it saw.

    `currency` is that of its amounts; empty where the transaction never began.
    """

    transaction: str
    reason: Reason
    currency: str = ""


@attrs.define
class Refusals:
    """Refusals counted by their kind, with the first of each kind."""

    counts: Counter[Refusal] = attrs.field(factory=Counter[Refusal])
    examples: dict[Refusal, Example] = attrs.field(factory=dict[Refusal, Example])

    def add(self, standing: Transaction, event: Denied, count: int = 1) -> None:
        """Count each reason of a denial of a command on `standing`."""
        for reason in event.reasons:
            refusal = Refusal(event.command, reason.code, reason.rule)
            self.counts[refusal] += count
            example = Example(standing.id, reason, standing.currency)
            self.examples.setdefault(refusal, example)


@attrs.frozen
class Waiting:
    """An operation whose outcome is not known yet, and what its amount is in."""

    transaction: str
    operation: Operation
    currency: str


@attrs.frozen
class Closing(FoundDiscrepancy):
    """A discrepancy that is closed: when, and by which event.

    An operator closes one with name and reason; without them, the event explains it.
    """

    at: datetime
    closed_by: int
    actor: str
    note: str

    def data(self, language: str) -> dict[str, Any]:
        """See `FoundDiscrepancy.data`."""
        about = {
            "at": self.at,
            "closed_by": self.closed_by,
            "actor": self.actor,
            "note": self.note,
        }
        return {**FoundDiscrepancy.data(self, language), **about}


@attrs.frozen
class Outside:
    """Something that the engine did not start, and who reported it.

    `is_reversal`: a success of `command` was taken back.
    """

    transaction: str
    number: int
    command: str
    amount: int | None
    currency: str
    at: datetime
    source: str
    is_reversal: bool


@attrs.define
class Standings:
    """The transactions in one status and currency: how many, and sums of amounts."""

    count: int = 0
    amounts: Counter[str] = attrs.field(factory=Counter[str])


@attrs.define
class LifecycleFigures:
    """What the trails under one lifecycle file show.

    `noted` counts events by all that they exercised; `counts` is the same by each.
    """

    lifecycle: Lifecycle
    transactions: int = 0
    events: int = 0
    counts: Counter[str] = attrs.field(factory=Counter[str])
    noted: Counter[tuple[str, ...]] = attrs.field(factory=Counter[tuple[str, ...]])
    standing: Counter[str] = attrs.field(factory=Counter[str])
    entered: Counter[str] = attrs.field(factory=Counter[str])
    spans: dict[str, Spans] = attrs.field(factory=dict[str, Spans])
    statuses: dict[tuple[str, str], Standings] = attrs.field(
        factory=dict[tuple[str, str], Standings]
    )
    refusals: Refusals = attrs.field(factory=Refusals)
    lapsed: Counter[tuple[str, str]] = attrs.field(factory=Counter[tuple[str, str]])
    tested: Covered | None = None


@attrs.frozen(kw_only=True)
class Facts:
    """All that a report shows of one store.

    `at` is the time that it is of; `heads` is the SHA-256 over the head of every
    chain, in the order of the ids, so that two reports of the same chains agree.
    `days` are how many operations were begun, and how many attempts denied, a day.
    `unbound` are refusals of transactions that were never opened, where no lifecycle or
    more than one could have given them.
    """

    store: str
    at: datetime
    version: str
    first: datetime | None
    last: datetime | None
    days: Mapping[date, tuple[int, int]]
    heads: str
    report: Report
    lifecycles: tuple[LifecycleFigures, ...]
    unbound: Refusals
    waiting: FaultTally[Waiting]
    closed: FaultTally[Closing]
    outside: FaultTally[Outside]
    has_coverage: bool
