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

from kessai.machine import Lapsed, Machine
from kessai.machine.chain import AppliedEvent
from kessai.spec import Lifecycle, Text
from kessai.spec.scope import expressions


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
    command = (step.subject and step.subject.command) or ""
    deadline = step.event.deadline if isinstance(step.event, Lapsed) else ""
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
    read = {name for _, found, _ in expressions(lifecycle) for name in found.names}
    return {n: t for n, t in lifecycle.amounts.items() if n in read - reserved}
