"""Commands made from the lifecycle files: names, parameters, amounts and their bounds.

Nothing here knows a command by name; a new one in a file is played without a change.
"""

from typing import Any

from kessai.machine import Bounds, Machine, Transaction
from kessai.machine.compile import CompiledCommand
from kessai.simulator.randomness import Randomness
from kessai.spec import Agreement, CommandSpec

_NOTIFIED = "notification_url"
_LARGE = 5000


def opening_of(machine: Machine) -> CompiledCommand:
    """The command that begins a transaction of this lifecycle."""
    return next(r for r in machine.commands.values() if r.spec.is_opening)


def possible_names(machine: Machine, transaction: Transaction) -> list[str]:
    """The commands that some state of `transaction` lets start."""
    return [
        name
        for name, rule in machine.commands.items()
        if not rule.spec.is_opening and rule.steps_from(transaction.states)
    ]


def is_in_force(needed: Agreement, agreement: Transaction) -> bool:
    """Whether the state of `agreement` is the one that a charge needs."""
    return agreement.states.get(needed.track) == needed.state


def currency_for(randomness: Randomness, machine: Machine) -> str:
    """One of the currencies of the lifecycle."""
    codes = tuple(machine.lifecycle.currencies)
    return codes[0] if len(codes) == 1 else randomness.rng.choice(codes)


def right_amount(randomness: Randomness, bounds: Bounds | None) -> int | None:
    """An amount within the bounds, often at their edges; or none, for the default."""
    if bounds is None or (bounds.default is not None and randomness.happens(0.3)):
        return None
    low, high = bounds.minimum, min(bounds.maximum, _LARGE)
    if high <= low:
        return low
    if randomness.happens(0.2):
        return randomness.rng.choice((low, high))
    # Few different ones, so that refunds of the same amount meet.
    return min(high, low + 100 * randomness.rng.randrange(1, 6))


def wrong_amount(randomness: Randomness, bounds: Bounds | None) -> int | None:
    """An amount that the bounds forbid, or one where none is taken."""
    if bounds is None:
        return 1
    return randomness.rng.choice((bounds.minimum - 1, bounds.maximum + 1, 0))


def parameters_for(
    randomness: Randomness, machine: Machine, spec: CommandSpec
) -> dict[str, Any]:
    """What is required, where notifications go, and now and then something else."""
    declared = machine.lifecycle.parameters
    chosen = list(spec.required)
    if randomness.happens(0.9):  # now and then no notification is wanted
        chosen += [name for name in spec.optional if name.endswith(_NOTIFIED)]
    others = [name for name in spec.optional if not name.endswith(_NOTIFIED)]
    if others and randomness.happens(0.3):  # most carry nothing more
        chosen.append(randomness.rng.choice(others))
    values = {name: declared[name].sample(randomness) for name in chosen}
    for name in chosen:
        needed = declared[name].needs
        if needed is not None:
            values[needed] = declared[needed].sample()
    return values
