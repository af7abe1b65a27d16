"""Whose exchange it may be that a look-up lists.

A gateway's list names no operation, and not always an amount. Where two could be meant,
nothing is guessed unseen.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from kessai.gateway import Evidence, Fact, Outcome, Source
from kessai.machine.compile import Machine
from kessai.machine.events import (
    ENDED,
    Begun,
    Discrepancy,
    Event,
    External,
    Reported,
    Resent,
)
from kessai.machine.settle import matching
from kessai.machine.transaction import Operation, Transaction

MAY_BE_ANOTHER = "may_be_another"
"""The reason of a discrepancy: a listed success without an amount settled an operation,
and may as well be of one that asked for another amount."""


def meant(
    machine: Machine, transaction: Transaction, trail: Iterable[Event], fact: Fact
) -> list[Operation]:
    """The open operations that `fact` may be about, in the order of `matching`.

    What a look-up listed before one began cannot be about it.
    """
    if fact.outcome is Outcome.REVERSED:
        return []  # it is about what has ended
    found = matching(machine, transaction, fact.command, fact.amount, fact.outcome)
    if not found or fact.exchange is None:
        return found
    later = _begun_since_put_aside(trail, fact)
    return [operation for operation in found if operation.id not in later]


def may_be_another(
    trail: Iterable[Event], operation: Operation, successes: int
) -> bool:
    """Whether so many listed successes without amounts may leave out `operation`'s.

    They may when they are fewer than the requests of its command that can have been
    carried out unheard.
    """
    possible = list(_unheard(trail, operation.command))
    differ = any(amount != operation.amount for amount in possible)
    return differ and successes < len(possible)


def fitted_nothing(discrepancy: Discrepancy) -> bool:
    """Whether its evidence was not applied; else it was, in doubt."""
    return discrepancy.reason != MAY_BE_ANOTHER


def is_counted_for_another(history: Iterable[Event], operation: Operation) -> bool:
    """Whether a look-up told of another operation what may be true of this one.

    A list does not say whose refund of 100 it was, or tells no amount at all. A late
    reply may tell of the very exchange that was counted already, as it stood then or as
    it has ended since. What was told before this one began cannot have been about it.
    """
    others: dict[str, int | None] = {}
    has_begun = False
    for event in history:
        if isinstance(event, Begun):
            other = event.operation
            if other.id == operation.id:
                has_begun = True
            elif other.command == operation.command:
                others[other.id] = other.amount
        elif isinstance(event, Reported) and event.operation in others and has_begun:
            untold = event.evidence.amount is None
            alike = untold or others[event.operation] == operation.amount
            if alike and _is_listed(event):
                return True
    return False


def _is_listed(report: Reported) -> bool:
    """Whether a look-up told it."""
    return (
        report.outcome is not Outcome.UNKNOWN
        and report.evidence.source is Source.LOOK_UP
        and not report.evidence.never_sent
    )


def _unheard(trail: Iterable[Event], command: str) -> Iterator[int | None]:
    """The amounts of all requests of `command` whose end no gateway has told.

    Those that were given up are among them, and the first ones of those that were sent
    again: a request can arrive later than every fence.
    """
    amounts: dict[str, int | None] = {}
    requests: Counter[str] = Counter()
    for event in trail:
        match event:
            case Begun(operation=operation) if operation.command == command:
                amounts[operation.id] = operation.amount
                requests[operation.id] += 1
            case Resent(operation=name) if name in amounts:
                requests[name] += 1
            case Reported(operation=name) if name in amounts and _is_heard(event):
                requests[name] -= 1
            case _:  # the rest asks for nothing and ends nothing
                pass
    for name, times in requests.items():
        yield from [amounts[name]] * times


def _is_heard(report: Reported) -> bool:
    """Whether it ends a request for good: what never left has ended, too."""
    evidence = report.evidence
    unheard = evidence.never_sent and evidence.source is Source.LOOK_UP
    by_hand = evidence.source is Source.OPERATOR
    is_guess = report.outcome is Outcome.DECLINED and (unheard or by_hand)
    return report.outcome in ENDED and not is_guess


def _begun_since_put_aside(trail: Iterable[Event], fact: Fact) -> set[str]:
    """The operations that began while `fact` stood aside as a discrepancy."""
    begun: set[str] = set()
    is_aside = False
    for event in trail:
        match event:
            case Discrepancy(evidence=evidence) if fitted_nothing(event):
                listed = evidence.source is Source.LOOK_UP
                is_aside = is_aside or (listed and _is_about(evidence, fact))
            case Reported(evidence=evidence) | External(evidence=evidence):
                if _is_about(evidence, fact):  # applied after all
                    return set()
            case Begun(operation=operation) if is_aside:
                begun.add(operation.id)
            case _:  # the rest says nothing of what is listed
                pass
    return begun


def _is_about(evidence: Evidence, fact: Fact) -> bool:
    """Whether `evidence` is of the exchange that `fact` lists."""
    return (evidence.command, evidence.exchange) == (fact.command, fact.exchange)
