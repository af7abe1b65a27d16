"""The path of a transaction through its lifecycle, read from its events."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import attrs

from kessai.diagram.arrows import Arrow, every_arrow
from kessai.gateway import Outcome
from kessai.machine import (
    Begun,
    Event,
    External,
    Lapsed,
    Possibility,
    Reported,
    Reversed,
    Transaction,
    compile_lifecycle,
    evolve,
)
from kessai.machine.chain import AppliedEvent
from kessai.spec import Lifecycle


@attrs.frozen(kw_only=True)
class TransactionPath:
    """A transaction with all that a picture shows of it.

    `lifecycle` is the one that it began under, `events` its whole trail,
    `possibilities` the answers of `Engine.can` about it now, if they are to be shown.
    """

    lifecycle: Lifecycle
    transaction: Transaction
    events: Sequence[Event] = ()
    possibilities: Sequence[Possibility] = ()


@attrs.frozen(kw_only=True)
class ArrowStep:
    """One event that took one arrow. `number` counts what moved, `event` all events.

    `amount` is in minor units. `is_external`: nobody here asked for it.
    """

    number: int
    event: int
    at: datetime
    arrow: Arrow
    amount: int | None = None
    is_external: bool = False


def steps(path: TransactionPath, language: str) -> Iterator[ArrowStep]:
    """Give the arrows that the events took, in their order."""
    machine = compile_lifecycle(path.lifecycle)
    drawn = list(every_arrow(path.lifecycle, language))
    before = Transaction(path.transaction.id)
    number = 0
    for count, event in enumerate(path.events, start=1):
        after = evolve(machine, before, event)
        applied = AppliedEvent(event, machine, before, after)
        subject = applied.subject
        taken = [arrow for arrow in drawn if _is_taken(arrow, applied)]
        number += bool(taken)
        for arrow in taken:
            yield ArrowStep(
                number=number,
                event=count,
                at=event.at,
                arrow=arrow,
                amount=subject.amount if subject else None,
                is_external=isinstance(event, External | Reversed)
                or (isinstance(event, Lapsed) and event.evidence is not None),
            )
        before = after


def _is_taken(arrow: Arrow, applied: AppliedEvent) -> bool:
    """Whether the event took the arrow, by what it made of the transaction."""
    before, after = applied.before.states, applied.after.states
    if before.get(arrow.track, "") != arrow.source:
        return False
    if arrow.move is not None:
        return any(step.move is arrow.move for step in applied.moves)
    cause = arrow.cause, arrow.name
    return cause == _cause(applied) and after.get(arrow.track) == arrow.target


def _cause(applied: AppliedEvent) -> tuple[str, str]:
    """The cause and the name of the arrows that an event may take without a move."""
    event, operation = applied.event, applied.operation
    match event:
        case Begun() if not applied.before.exists:
            return "opening", event.operation.command
        case Reported(outcome=Outcome.DECLINED) if operation is not None:
            ended = operation.id not in applied.after.operations
            return ("decline" if ended else "", operation.command)
        case Lapsed():
            return "deadline", event.deadline
        case _:
            return "", ""
