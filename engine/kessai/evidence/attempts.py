"""A trail, folded once into attempts: what evidence is compared with.

An operation is one command; its attempt is all that was done to carry it out, and all
that was reported of that. Beside the attempts there are the external events and the
discrepancies. For example, this trail

    1 begun     order.1 authorize 100
    2 reported  order.1 succeeded            by a reply
    3 begun     order.3 capture 60           its reply is lost
    4 reported  order.3 declined             presumed lost: the inquiry did not list it
    5 begun     order.5 capture 60
    6 external  capture 60                   an inquiry lists one capture too many

is folded into three attempts. Two have ended, but only the first is acknowledged: no
gateway ever stated what became of the request of `order.3`. Whether event 6 was that
very request is decided from the attempts; nothing reads the trail again.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

import attrs

from kessai.evidence.outcome import EXPIRE
from kessai.gateway import Evidence, ListedExchange, Outcome, Source
from kessai.machine.compile import Machine
from kessai.machine.events import (
    Begun,
    Closed,
    Discrepancy,
    Event,
    External,
    Lapsed,
    Reported,
    Resent,
    Resumed,
    Reversed,
    Sent,
)
from kessai.machine.evolve import evolve
from kessai.machine.phases import ENDED
from kessai.machine.transaction import Operation, Transaction
from kessai.machine.unclaimed import MAY_BE_ANOTHER


@attrs.define(eq=False)
class Attempt:
    """An operation, with what was sent for it and what was reported of it.

    `number` is that of the event that its first request followed: what is only prepared
    was never sent, and is no attempt yet. `requests` counts how often its request
    was about to be sent, `acknowledged` how many of them have certainly ended.
    `listed_at` is the number of the last event that reported it by an inquiry, and
    `listed_bare_at` of the last such event without an amount; 0 if there is none.
    `is_refused_again` says whether it was sent again, and the gateway's reply to that
    was none that ends it: only an inquiry explains it. `end` is how it ended, None while
    it is open.
    """

    operation: Operation
    number: int
    requests: int = 1
    acknowledged: int = 0
    listed_at: int = 0
    listed_bare_at: int = 0
    is_refused_again: bool = False
    end: "End | None" = None

    def send_again(self) -> None:
        """Add another request."""
        self.requests += 1
        self.is_refused_again = False

    def note(self, number: int, report: Reported) -> None:
        """Add a report of the operation."""
        self.acknowledged += _acknowledges(report)
        is_reply = report.evidence.source is Source.REPLY
        if self.requests > 1 and is_reply and report.evidence.needs_inquiry:
            self.is_refused_again = True
        if report.outcome in ENDED:
            self.end = End(self.operation, report)
        evidence = report.evidence
        if (
            evidence.source is Source.INQUIRY
            and report.outcome is not Outcome.UNKNOWN
            and not evidence.never_sent
        ):
            self.listed_at = number
            if evidence.amount is None:
                self.listed_bare_at = number


@attrs.frozen
class End:
    """How an operation ended, as a gateway or an operator stated it last."""

    operation: Operation
    report: Reported

    @property
    def amount(self) -> int | None:
        """The amount that moved, or was declined; None for a command without one."""
        stated = self.report.evidence.amount
        return self.operation.amount if stated is None else stated


class Attempts:
    """The attempts of one transaction, and what else its trail holds.

    `version` counts the events that were added. `ends` are how operations ended,
    `outside` what the engine did not ask for (command, amount, outcome), in the order of
    the trail. `discrepancies` are all by the numbers of their events, and `closed` those
    that an operator has closed.
    """

    def __init__(self, trail: Iterable[Event] = ()) -> None:
        self.version = 0
        self.ends: list[End] = []
        self.outside: list[tuple[str, int | None, Outcome]] = []
        self.discrepancies: dict[int, Discrepancy] = {}
        self.closed: set[int] = set()
        self._by_operation: dict[str, Attempt] = {}
        self._prepared: dict[str, Operation] = {}
        self._unmatched_since: dict[_Exchange, int] = {}
        self._applied: set[_Exchange] = set()
        self._by_exchange: dict[_Exchange, Attempt | None] = {}
        self._outside: set[_Exchange] = set()
        for event in trail:
            self.note(event)

    @classmethod
    def numbered(cls, events: Iterable[tuple[int, Event]], version: int) -> "Attempts":
        """Those of `events` by their numbers, of `version` in all: some say nothing."""
        attempts = cls()
        for number, event in events:
            attempts.version = number - 1
            attempts.note(event)
        attempts.version = version
        return attempts

    def note(self, event: Event) -> None:
        """Add the next event of the trail."""
        self.version += 1
        match event:
            case Begun() | Sent():
                self._first_sent(event)
            case Resent() | Resumed() if event.operation in self._by_operation:
                self._by_operation[event.operation].send_again()
            case Reported():
                self._reported(event)
            case External() | Reversed():
                self._happened_outside(event)
            case Lapsed():
                self.outside.append((EXPIRE, None, Outcome.SUCCEEDED))
            case Discrepancy():
                self._unmatched(event)
            case Closed():
                self.closed.add(event.discrepancy)
            case _:  # denials, ids: no outcome is reported
                pass

    def _happened_outside(self, event: External | Reversed) -> None:
        taken_back = isinstance(event, Reversed)
        outcome = Outcome.REVERSED if taken_back else Outcome.SUCCEEDED
        self.outside.append((event.command, event.amount, outcome))
        self._applied.add(_exchange(event.evidence))
        if not taken_back:  # a reversal has the id of a success, be it ours
            self._outside.add(_exchange(event.evidence))

    def _first_sent(self, event: Begun | Sent) -> None:
        if isinstance(event, Begun):
            operation: Operation | None = event.operation
            if event.prepared:
                self._prepared[event.operation.id] = event.operation
                return
        else:
            operation = self._prepared.pop(event.operation, None)
        if operation is not None:
            self._by_operation[operation.id] = Attempt(operation, self.version)

    def of(self, command: str) -> Iterator[Attempt]:
        """The attempts at `command`, in the order of their beginning."""
        attempts = self._by_operation.values()
        return (each for each in attempts if each.operation.command == command)

    def lasting(self, command: str) -> set[int | None]:
        """The amounts of the successes of `command` that were not taken back so far."""
        count: Counter[int | None] = Counter(
            end.amount
            for end in self.ends
            if end.operation.command == command
            and end.report.outcome is Outcome.SUCCEEDED
        )
        for name, amount, outcome in self.outside:
            if name == command:
                count[amount] += -1 if outcome is Outcome.REVERSED else 1
        return {amount for amount, times in count.items() if times > 0}

    def get(self, operation: str) -> Attempt | None:
        """The attempt of the operation with this id; None if none began."""
        return self._by_operation.get(operation)

    def identified(self, listed: ListedExchange) -> Attempt | None:
        """The attempt that `listed` is certainly about, by our id or the gateway's.

        None if it has neither, or if the gateway gave its id to several attempts. In a
        store that was restored from a backup an operation may have the id of a lost
        one; what was found to be external before that began is not its own.
        """
        if self._is_known_outside(listed):
            return None
        by_exchange = self._by_exchange.get((listed.command, listed.exchange))
        for attempt in (self.get(listed.operation or ""), by_exchange):
            if attempt is not None and attempt.operation.command == listed.command:
                declined_again = (
                    listed.outcome is Outcome.DECLINED and attempt.requests > 1
                )
                return None if declined_again else attempt
        return None

    def is_outside(self, listed: ListedExchange) -> bool:
        """Whether an id shows that `listed` is about no operation of the engine."""
        return self._is_known_outside(listed) or (
            listed.operation is not None and listed.operation not in self._by_operation
        )

    def _is_known_outside(self, listed: ListedExchange) -> bool:
        exchange = (listed.command, listed.exchange)
        return listed.exchange is not None and exchange in self._outside

    def unmatched_since(self, listed: ListedExchange) -> int | None:
        """The number of the event that first recorded `listed` as a discrepancy.

        None if no inquiry listed it before, if it was ever applied, or if the gateway
        gave it no id.
        """
        exchange = (listed.command, listed.exchange)
        if listed.exchange is None or exchange in self._applied:
            return None
        return self._unmatched_since.get(exchange)

    def hold(self, discrepancy: Discrepancy) -> bool:
        """Whether one with the same reason, ids and totals is recorded already."""
        known = self.discrepancies.values()
        return any(_differs_as(each, discrepancy) for each in known)

    def _reported(self, report: Reported) -> None:
        self._applied.add(_exchange(report.evidence))
        attempt = self._by_operation.get(report.operation)
        if attempt is None:
            return
        attempt.note(self.version, report)
        if (exchange := report.evidence.exchange) is not None:
            key = (attempt.operation.command, exchange)
            is_shared = self._by_exchange.setdefault(key, attempt) is not attempt
            self._by_exchange[key] = None if is_shared else attempt
        if report.outcome in ENDED and attempt.end is not None:
            self.ends.append(attempt.end)

    def _unmatched(self, event: Discrepancy) -> None:
        self.discrepancies[self.version] = event
        if event.evidence.source is Source.INQUIRY and fitted_nothing(event):
            exchange = _exchange(event.evidence)
            self._unmatched_since.setdefault(exchange, self.version)


@attrs.define(eq=False)
class Case:
    """A transaction as of `now` with its attempts, while evidence of it is weighed.

    What follows from the evidence is added at once, so that what is weighed next sees
    it. `events` are all that was added: they are to be written.
    """

    machine: Machine
    transaction: Transaction
    attempts: Attempts
    now: datetime
    events: list[Event] = attrs.field(factory=list, init=False)

    def add(self, event: Event) -> None:
        """Add an event that follows from the evidence."""
        self.events.append(event)
        self.attempts.note(event)
        self.transaction = evolve(self.machine, self.transaction, event)

    def add_difference(self, reason: str, evidence: Evidence) -> None:
        """Record that `evidence` states other ids or totals than are known, once."""
        discrepancy = Discrepancy(self.now, reason, evidence)
        if not self.attempts.hold(discrepancy):
            self.add(discrepancy)


def fitted_nothing(discrepancy: Discrepancy) -> bool:
    """Whether its evidence was not applied; otherwise it was, with a doubt."""
    return discrepancy.reason != MAY_BE_ANOTHER


def _differs_as(one: Discrepancy, other: Discrepancy) -> bool:
    return (one.reason, one.evidence.references, one.evidence.totals) == (
        other.reason,
        other.evidence.references,
        other.evidence.totals,
    )


_Exchange = tuple[str | None, str | None]


def _exchange(evidence: Evidence) -> _Exchange:
    """What identifies an exchange of a gateway: its ids are unique per command."""
    return evidence.command, evidence.exchange


def _acknowledges(report: Reported) -> bool:
    """Whether a request has certainly ended; one that never left has ended, too.

    A request that is presumed lost may still arrive, later than every limit, and an
    operator who declines an operation may not have seen all of its requests.
    """
    evidence = report.evidence
    presumed_lost = evidence.never_sent and evidence.source is Source.INQUIRY
    by_hand = evidence.source is Source.OPERATOR
    is_guess = report.outcome is Outcome.DECLINED and (presumed_lost or by_hand)
    return report.outcome in ENDED and not is_guess
