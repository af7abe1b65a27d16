"""The plain steps of a log, taken fast: what is like a step before is not decided anew.

Nearly every row of a log is a command that succeeded while nothing else was open. The
first of a kind in a situation is decided and carried out in full, and then once more on
traced values: see `kessai.machine.tracing`. For the rows that follow, the comparisons
and sums of that path are repeated. What takes another path is decided in full: none
denies anything.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from kessai.gateway import Evidence, Outcome, Source
from kessai.machine import (
    Begun,
    Command,
    Denial,
    Machine,
    Operation,
    Reported,
    Transaction,
    broken_invariants,
    decide,
    evolve,
)
from kessai.machine.decide import id_pattern, opened_tracks
from kessai.machine.tracing import Repeat, Trace, Untraceable, in_range

When = tuple[datetime, datetime]
"""The first moment at which something may have happened, and the last."""

PathKey = int | tuple[int, str, str]
"""The number of a row's class, inverted if it states no amount; with the lifecycle and
the states of its agreement, if it names one."""

Values = Sequence[Any]
"""Amounts and deadlines, in the order in which a situation names them."""

EVIDENCE = {
    outcome: Evidence(
        source=Source.OPERATOR, transaction="", command=None, outcome=outcome
    )
    for outcome in Outcome
}

_MOST = 20
"""So many paths of rows with one key are remembered."""


@attrs.frozen
class LoggedPath:
    """A step that was taken once, ready to be repeated."""

    repeat: Repeat
    after: "QuietSituation"
    takes_amount: bool
    fits_id: Callable[[str], Any] | None


@attrs.define(eq=False)
class QuietSituation:
    """All of a transaction but its amounts and times.

    Nothing is open in it, and it breaks no invariant.
    """

    machine: Machine | None
    currency: str
    states: Mapping[str, str]
    flags: Mapping[str, int]
    amounts: tuple[str, ...]
    deadlines: tuple[str, ...]
    paths: dict[PathKey, list[LoggedPath]] = attrs.field(factory=dict)

    def transaction(self, name: str, values: Values) -> Transaction:
        """The transaction `name` in this situation."""
        if self.machine is None:
            return Transaction(name)
        lifecycle = self.machine.lifecycle
        return Transaction(
            name,
            lifecycle.name,
            lifecycle.hash,
            self.currency,
            states=self.states,
            amounts=dict(zip(self.amounts, values, strict=False)),
            flags=self.flags,
            deadlines=dict(
                zip(self.deadlines, values[len(self.amounts) :], strict=True)
            ),
        )


def values_of(transaction: Transaction) -> tuple[Any, ...]:
    """The amounts and the deadlines of `transaction`."""
    return (*transaction.amounts.values(), *transaction.deadlines.values())


@attrs.frozen
class LoggedStep:
    """A command of a log, as it is decided and carried out; `named` is its agreement."""

    machine: Machine
    command: Command
    agreement: Transaction | None
    named: str | None
    outcome: Outcome

    def decide(self, before: Transaction, at: datetime) -> Operation | Denial:
        """What it begins on `before`, or why it may not."""
        return decide(self.machine, before, self.command, at, self.agreement)

    def carry_out(
        self, before: Transaction, operation: Operation, when: When
    ) -> Transaction:
        """`before` with the operation begun, and its outcome reported."""
        opens: tuple[str, ...] = ()
        if self.machine.commands[self.command.name].spec.is_opening:
            opens = opened_tracks(self.machine, operation)
        begins = Begun(when[0], operation, self.named, opens)
        begun = evolve(self.machine, before, begins)
        # A deadline counts from the last moment at which it may have happened.
        evidence = EVIDENCE[self.outcome]
        report = Reported(when[1], operation.id, self.outcome, evidence)
        return evolve(self.machine, begun, report)


class Situations:
    """Every situation once, so that its paths are found once."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], QuietSituation] = {}
        self.blank = self.of(None, Transaction("-"))
        """That of what never came to be."""

    def of(self, machine: Machine | None, transaction: Transaction) -> QuietSituation:
        """The situation of a transaction of `machine`, in which nothing is open."""
        found = QuietSituation(
            machine,
            transaction.currency,
            transaction.states,
            transaction.flags,
            tuple(transaction.amounts),
            tuple(transaction.deadlines),
        )
        key = (
            "" if machine is None else machine.name,
            found.currency,
            tuple(found.states.items()),
            tuple(found.flags.items()),
            found.amounts,
            found.deadlines,
        )
        return self._known.setdefault(key, found)

    def learn(
        self, key: PathKey, step: LoggedStep, changed: Sequence[Transaction], when: When
    ) -> None:
        """Keep the path of `step`, if its repetition leads to the very same result.

        `changed` is the transaction before it, and after it.
        """
        before, after = changed
        held = self.of(step.machine if before.exists else None, before)
        paths = held.paths.setdefault(key, [])
        if len(paths) >= _MOST:
            return
        path = self._path(held, step, before, when)
        inputs = (*values_of(before), *when, step.command.amount)
        if (
            path is None
            or path.after is not self.of(step.machine, after)
            or path.repeat(*inputs) != values_of(after)
        ):
            path = LoggedPath(_other_path, held, takes_amount=False, fits_id=None)
        paths.append(path)

    def _path(
        self, held: QuietSituation, step: LoggedStep, before: Transaction, when: When
    ) -> LoggedPath | None:
        values, command = values_of(before), step.command
        names = [f"v{place}" for place in range(len(values))]
        trace = Trace(in_range(names[: len(before.amounts)]))
        at: Any = trace.value("at", when[0])
        latest: Any = trace.value("latest", when[1])
        asked: Any = command.amount
        if asked is not None:
            asked = trace.value("amount", asked)
        step = attrs.evolve(step, command=attrs.evolve(command, amount=asked))
        try:
            begins = held.transaction(before.id, [*map(trace.value, names, values)])
            operation = step.decide(begins, at)
            if isinstance(operation, Denial):
                return None
            after = step.carry_out(begins, operation, (at, latest))
            if after.operations or broken_invariants(step.machine, after):
                return None
            parameters = ", ".join((*names, "at", "latest", "amount"))
            repeat = trace.repeat(parameters, values_of(after))
        except (Untraceable, OverflowError):
            return None
        spec = step.machine.commands[command.name].spec
        called = id_pattern(step.machine.lifecycle.identifier)
        return LoggedPath(
            repeat,
            self.of(step.machine, after),
            takes_amount=spec.amount is not None,
            fits_id=called.fullmatch if spec.is_opening else None,
        )


def _other_path(*_: object) -> None:
    """What stands for a path that cannot be repeated: each row is decided in full."""
