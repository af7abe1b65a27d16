"""What must hold after every event, whatever the history: checked, never assumed."""

from collections.abc import Iterable, Mapping

from kessai.machine.compile import Machine
from kessai.machine.transaction import Transaction
from kessai.money import AMOUNT_LIMIT


def broken_invariants(machine: Machine, transaction: Transaction) -> tuple[str, ...]:
    """The invariants that do not hold, by name; `amounts` if one is out of range."""
    return broken_amounts(machine, transaction.amounts)


def broken_amounts(machine: Machine, amounts: Mapping[str, int]) -> tuple[str, ...]:
    """The same for amounts alone."""
    broken = [] if _in_range(amounts.values()) else ["amounts"]
    if amounts:
        for name, holds in machine.invariants:
            if not holds(amounts):
                broken.append(name)
    return tuple(broken)


def _in_range(values: Iterable[int]) -> bool:
    # They are whole numbers: expressions give and trails hold nothing else.
    for value in values:  # noqa: SIM110 - asked of every success, and `all` takes twice
        if not 0 <= value < AMOUNT_LIMIT:
            return False
    return True
