"""The movements of an event, as an export has them: `kessai.machine.movements`."""

from collections.abc import Iterator

import attrs

from kessai.machine import Lapsed
from kessai.machine.chain import AppliedEvent
from kessai.machine.movements import moved
from kessai.spec import Text


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


def movements_of(step: AppliedEvent) -> Iterator[Movement]:
    """The movements of an event, in the lifecycle's order of amounts."""
    machine, amounts = step.machine, step.after.amounts
    changes = moved(machine, step.before.amounts, amounts)
    if machine is None or not changes:
        return
    command = (step.subject and step.subject.command) or ""
    deadline = step.event.deadline if isinstance(step.event, Lapsed) else ""
    titles = machine.balances
    for name, change in changes.items():
        yield Movement(name, titles[name], change, amounts[name], command, deadline)
