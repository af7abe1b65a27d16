"""Movements at the gateway that no operation claims: an equal command asks first.

Whoever asks for what the gateway has just shown as done may mean that very thing. A
store was restored from a copy of Monday:

    Tuesday    refund 400 is carried out; the disk is lost, and the store with it
    Wednesday  the copy is put back; an inquiry shows a refund of 400: external, event 7
    Wednesday  the order system asks for refund 400 once more, under whatever key

Carried out, it would pay 800 back. It is denied, until an operator has closed event 7:
the two are not the same. A refund of 300 is another command, and passes.

What nobody here can ask for, a dispute say, the bank alone does: it is no command of ours,
so nobody claims it, and nothing equal to it is ever asked for.

Evidence of a success that was set aside as a discrepancy has moved something, too, for
as long as that is open: what explains it claims it. What the gateway has only counted in
its totals may be several movements together, so any amount up to it is equal. Nothing
here opens a state or a bound: those come first.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kessai.machine.references import REFERENCE_DIFFERS
from kessai.machine.transaction import Transaction, Unclaimed
from kessai.outcomes import Outcome

if TYPE_CHECKING:
    from kessai.machine.events import External, Reversed

MAY_BE_ANOTHER = "may_be_another"
"""The reason of a discrepancy: a listed success without an amount ended an operation,
and may as well belong to one that asked for another amount."""

_NOT_ITS_OWN = {MAY_BE_ANOTHER, REFERENCE_DIFFERS}
"""Reasons of discrepancies whose evidence an operation claims, or another payment."""


def with_unclaimed(
    transaction: Transaction, event: "External | Reversed"
) -> tuple[Unclaimed, ...]:
    """The external movements of `transaction` with that of `event`.

    A reversal is of a success that is known.
    """
    evidence, known = event.evidence, transaction.unclaimed
    if evidence.command is None or evidence.outcome is not Outcome.SUCCEEDED:
        return known
    is_sum = bool(evidence.totals)
    number = transaction.version + 1
    return (*known, Unclaimed(number, evidence.command, evidence.amount, is_sum))


def all_unclaimed(transaction: Transaction) -> tuple[Unclaimed, ...]:
    """The movements of `transaction` that no operation claims."""
    if not transaction.discrepancies:
        return transaction.unclaimed
    set_aside = (
        Unclaimed(number, one.command, one.amount, bool(one.totals))
        for number, one in transaction.discrepancies.items()
        if one.command is not None
        and one.outcome is Outcome.SUCCEEDED
        and one.reason not in _NOT_ITS_OWN
    )
    return (*transaction.unclaimed, *set_aside)


def without_unclaimed(transaction: Transaction, number: int) -> tuple[Unclaimed, ...]:
    """The unclaimed movements of `transaction` without the one of event `number`."""
    return tuple(each for each in transaction.unclaimed if each.event != number)


def equal_to(
    unclaimed: tuple[Unclaimed, ...], command: str, amount: int | None
) -> Iterator[Unclaimed]:
    """Those of `unclaimed` that `command` with `amount` would be once more.

    `amount` is None if the command takes none.
    """
    for each in unclaimed:
        is_any = amount is None or each.amount is None
        if each.command == command and (is_any or _counts(each, amount)):
            yield each


def _counts(movement: Unclaimed, amount: int | None) -> bool:
    """Whether `amount` is that of `movement`, or a part of its sum."""
    known = movement.amount or 0
    return known == amount or (movement.is_sum and (amount or 0) < known)


def every_amount_asks(
    unclaimed: tuple[Unclaimed, ...], command: str, least: int, most: int
) -> bool:
    """Whether no amount from `least` to `most` would pass."""
    # Of sums, the largest has all below it; of others, each has one amount.
    tried = range(most, max(least, most - len(unclaimed)) - 1, -1)
    return all(any(equal_to(unclaimed, command, amount)) for amount in tried)
