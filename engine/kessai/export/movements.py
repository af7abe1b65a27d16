"""When money moved: the difference that an event makes to the amounts of a transaction.

A capture of 900 from 1,000 authorized is recorded as two events, and only the second
moves money:

    begun      capturing 0 → 900                       reserved, nothing has moved
    reported   capturing 900 → 0, captured 0 → 900, released 0 → 100
               movements: captured +900, released +100

An amount that no rule of the lifecycle reads is not a balance, and its changes move
nothing: the amount that a consent agreed to per charge, for instance, is only replaced.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache

import attrs

from kessai.machine import Begun, External, Lapsed, Machine, Reported, Reversed
from kessai.machine.chain import AppliedEvent
from kessai.spec import Expression, Lifecycle, Text


@attrs.frozen
class Movement:
    """A lasting change of one amount, in minor units, and the amount after it.

    Either a `command` made it or a `deadline` that passed; the other one is empty.
    """

    name: str
    title: Text
    change: int
    balance: int
    command: str = ""
    deadline: str = ""


def moved(step: AppliedEvent) -> Iterator[Movement]:
    """The movements of an event, in the lifecycle's order of amounts."""
    machine, before, after = step.machine, step.before.amounts, step.after.amounts
    if machine is None or before == after:
        return
    command, deadline = _cause(step)
    for name, title in _balances(machine).items():
        balance = after.get(name, 0)
        change = balance - before.get(name, 0)
        if change:
            yield Movement(name, title, change, balance, command, deadline)


@lru_cache(maxsize=32)
def _balances(machine: Machine) -> Mapping[str, Text]:
    """The amounts that rules read and no command reserves, with their titles."""
    lifecycle: Lifecycle = machine.lifecycle
    commands = lifecycle.commands.values()
    reserved = {effect.target for command in commands for effect in command.reserve}
    read = {name for found in _expressions(lifecycle) for name in found.names}
    return {n: t for n, t in lifecycle.amounts.items() if n in read - reserved}


def _expressions(part: object) -> Iterator[Expression]:
    """Every expression of a lifecycle, or of a part of it."""
    kind = type(part)
    if isinstance(part, Expression):
        yield part
    elif isinstance(part, Mapping):
        yield from (e for value in part.values() for e in _expressions(value))
    elif isinstance(part, tuple):
        yield from (e for value in part for e in _expressions(value))
    elif attrs.has(kind := type(part)):
        names = (field.name for field in attrs.fields(kind))
        yield from (e for name in names for e in _expressions(getattr(part, name)))


def _cause(step: AppliedEvent) -> tuple[str, str]:
    """The command or the deadline that made an event."""
    match step.event:
        case Begun(operation=operation):
            return operation.command, ""
        case Reported(operation=operation):
            found = step.before.operations.get(operation)
            return found.command if found else "", ""
        case External(command=command) | Reversed(command=command):
            return command, ""
        case Lapsed(deadline=deadline):
            return "", deadline
        case _:
            return "", ""
