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
    Machine,
    Possibility,
    Reported,
    Reversed,
    Transaction,
    compile_lifecycle,
    evolve,
)
from kessai.machine.compile import CompiledCommand
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
    arrows = _TakenArrows(machine, list(every_arrow(path.lifecycle, language)))
    before = Transaction(path.transaction.id)
    number = 0
    for count, event in enumerate(path.events, start=1):
        after = evolve(machine, before, event)
        taken = arrows.taken(event, before, after)
        number += bool(taken)
        for arrow in taken:
            yield ArrowStep(
                number=number,
                event=count,
                at=event.at,
                arrow=arrow,
                amount=_amount(event, before),
                is_external=isinstance(event, External | Reversed)
                or (isinstance(event, Lapsed) and event.evidence is not None),
            )
        before = after


class _TakenArrows:
    """Which arrows an event takes, by what it made of the transaction."""

    def __init__(self, machine: Machine, drawn: list[Arrow]) -> None:
        self._machine = machine
        self._drawn = drawn

    def taken(
        self, event: Event, before: Transaction, after: Transaction
    ) -> list[Arrow]:
        match event:
            case Begun() if not before.exists and after.exists:
                return self._of("opening", event.operation.command, before, after)
            case Reported():
                return self._reported(event, before, after)
            case External():
                return self._moved(event.command, event.amount, before, after)
            case Reversed():
                rule = self._machine.reversals.get(event.command)
                return self._over(rule, event.amount, before, after)
            case Lapsed():
                return self._of("deadline", event.deadline, before, after)
            case _:
                return []

    def _reported(
        self, event: Reported, before: Transaction, after: Transaction
    ) -> list[Arrow]:
        operation = before.operations.get(event.operation)
        if operation is None or event.operation in after.operations:
            return []
        if event.outcome is Outcome.DECLINED:
            return self._of("decline", operation.command, before, after)
        return self._moved(operation.command, operation.amount, before, after)

    def _of(
        self, cause: str, name: str, before: Transaction, after: Transaction
    ) -> list[Arrow]:
        """The arrows of one cause whose states are those before and after."""
        return [
            arrow
            for arrow in self._drawn
            if (arrow.cause, arrow.name) == (cause, name)
            and before.states.get(arrow.track, "") == arrow.source
            and after.states.get(arrow.track) == arrow.target
        ]

    def _moved(
        self, command: str, amount: int | None, before: Transaction, after: Transaction
    ) -> list[Arrow]:
        return self._over(self._machine.commands.get(command), amount, before, after)

    def _over(
        self,
        rule: CompiledCommand | None,
        amount: int | None,
        before: Transaction,
        after: Transaction,
    ) -> list[Arrow]:
        """The arrows of the moves that led from `before` to `after`."""
        names = after.names(amount)
        moves = [
            (step.track, step.move)
            for step in (rule.steps_from(before.states) if rule else ())
            if step.target == after.states[step.track] and step.enabled(names)
        ]
        return [
            arrow
            for arrow in self._drawn
            if any(arrow.track == track and arrow.move is move for track, move in moves)
            and before.states.get(arrow.track) == arrow.source
        ]


def _amount(event: Event, before: Transaction) -> int | None:
    match event:
        case Begun():
            return event.operation.amount
        case External() | Reversed():
            return event.amount
        case Reported():
            operation = before.operations.get(event.operation)
            return operation.amount if operation else None
        case _:
            return None
