"""The ways in which a command may be asked for: which flags, and then which amounts.

Nothing of a lifecycle's rules is repeated here: each way is put to `decide`, and counts
if that takes it. Only flags that a guard or a bound names are tried both ways.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import product
from typing import Any

import attrs

from kessai.machine import (
    Bounds,
    Command,
    Denial,
    Machine,
    Operation,
    Transaction,
    decide,
)
from kessai.machine.compile import CompiledCommand
from kessai.machine.decide import bounds_of
from kessai.testing.strategies.values import complete

MOST_FLAGS = 10
"""More flags than this are not tried all ways: 2 ** 10 are 1024 questions."""


@attrs.frozen
class CommandCase:
    """What a command is asked for on: the machine, the transaction, the moment."""

    machine: Machine = attrs.field(repr=False)
    transaction: Transaction
    now: datetime
    agreement: Transaction | None = None

    def command(self, name: str, amount: int | None = None, **more: Any) -> Command:
        """A command on this transaction; its key is the caller's to choose."""
        spec = self.machine.commands[name].spec
        if spec.is_opening:
            more.setdefault("lifecycle", self.machine.name)
            more.setdefault("currency", _currencies(self.machine)[0])
        if spec.agreement is not None and self.agreement is not None:
            more.setdefault("agreement", self.agreement.id)
        more.setdefault("key", f"{self.transaction.id}:{self.transaction.version + 1}")
        return Command(name, self.transaction.id, amount=amount, **more)

    def decide(self, command: Command) -> Operation | Denial:
        """What the machine decides."""
        return decide(self.machine, self.transaction, command, self.now, self.agreement)


@attrs.frozen
class CommandVariant:
    """A command with the flags that matter, and the amounts that then pass.

    `currency` is that of the transaction which it opens, where there is a choice.
    """

    name: str
    flags: Mapping[str, bool]
    bounds: Bounds | None
    currency: str | None = None


def ways(case: CommandCase, name: str) -> tuple[CommandVariant, ...]:
    """Every way in which `name` may be asked for now; none if it is denied."""
    return tuple(
        way for way, verdict in tried(case, name) if isinstance(verdict, Operation)
    )


def tried(
    case: CommandCase, name: str
) -> Iterator[tuple[CommandVariant, Operation | Denial]]:
    """Every way to ask for `name`, with what the machine decides on its plainest form."""
    rule = case.machine.commands[name]
    currencies = _currencies(case.machine) if rule.spec.is_opening else (None,)
    for flags, currency in product(_assignments(case, rule), currencies):
        values = plainest(case.machine, rule, flags)
        if any(values.get(flag, False) is not flags[flag] for flag in flags):
            continue  # something else that it needs turns the flag on
        asked = case.command(name, parameters=values, currency=currency)
        bounds = bounds_of(case.machine, case.transaction, asked)
        yield CommandVariant(name, flags, bounds, currency), _best(case, asked, bounds)


def _currencies(machine: Machine) -> tuple[str | None, ...]:
    """What an opening command may name: the only currency needs no name."""
    found = tuple(machine.lifecycle.currencies)
    return found if len(found) > 1 else (None,)


def plainest(
    machine: Machine, rule: CompiledCommand, flags: Mapping[str, bool]
) -> dict[str, Any]:
    """The fewest parameters that `rule` may have with these flags."""
    declared = machine.lifecycle.parameters
    required = {n: declared[n].sample() for n in rule.spec.required}
    on = {name: True for name, value in flags.items() if value}
    return complete(machine, {**required, **on})


def _best(
    case: CommandCase, asked: Command, bounds: Bounds | None
) -> Operation | Denial:
    """The verdict on a plain amount: an operation, if one of those tried gives it."""
    amounts: list[int | None] = [None]
    if bounds is not None:
        inside = bounds.maximum >= bounds.minimum
        amounts = [bounds.minimum, bounds.maximum] if inside else [bounds.minimum]
    verdicts = [case.decide(attrs.evolve(asked, amount=amount)) for amount in amounts]
    return next((v for v in verdicts if isinstance(v, Operation)), verdicts[-1])


def _assignments(case: CommandCase, rule: CompiledCommand) -> Iterator[dict[str, bool]]:
    flags = [name for name in case.machine.flags_off if name in rule.parameters]
    flags = [name for name in flags if name in _named(rule)][:MOST_FLAGS]
    if not rule.spec.is_opening:
        flags = []  # of a transaction that is there, the flags are what they were
    for values in product((False, True), repeat=len(flags)):
        yield dict(zip(flags, values, strict=True))


def _named(rule: CompiledCommand) -> frozenset[str]:
    """The names that decide whether the command may be asked for."""
    guards = [*rule.guards]
    for by_state in rule.steps.values():
        for steps in by_state.values():
            guards += [guard for step in steps for guard in step.guards]
    expressions = [guard.holds for guard in guards]
    for declared in (rule.spec.amount or {}).values():
        expressions += [declared.minimum, declared.maximum]
    return frozenset(name for each in expressions for name in each.names)
