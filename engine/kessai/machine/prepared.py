"""What was only prepared is decided once more before it is sent: much may have changed.

Its intent was written in the shop's own database transaction, and whoever was to send it
may have died. Until it is sent, a deadline may pass, its agreement may end, or the
gateway may show that it was done already.
"""

from datetime import datetime

import attrs

from kessai.limits import CARRY_OUT_WITHIN
from kessai.machine.command import Command
from kessai.machine.compile import Machine
from kessai.machine.decide import decide
from kessai.machine.denial import Denial
from kessai.machine.evolve import apply_effects
from kessai.machine.transaction import Operation, Transaction

NOT_IN_TIME = "not_sent_in_time"
"""The code of what was prepared for too long to be sent."""


def why_not_to_send(
    machine: Machine,
    transaction: Transaction,
    operation: Operation,
    now: datetime,
    agreement: Transaction | None,
) -> str | None:
    """Why a prepared `operation` must not be sent at `now`; None if it may be.

    `agreement` is that of `transaction`, as it is at `now`.
    """
    if is_too_late(operation, now):
        return NOT_IN_TIME
    before = _without(machine, transaction, operation)
    command = Command(
        operation.command,
        transaction.id,
        key=operation.key,
        agreement=None if before.exists else transaction.agreement,
        amount=operation.amount,
        currency=operation.currency,
        parameters=operation.parameters,
    )
    verdict = decide(machine, before, command, now, agreement)
    return verdict.codes[0] if isinstance(verdict, Denial) else None


def is_too_late(operation: Operation, now: datetime) -> bool:
    """Whether a prepared `operation` was prepared for too long to be sent at `now`."""
    limit = min(CARRY_OUT_WITHIN, operation.finish_within or CARRY_OUT_WITHIN)
    return now >= operation.begun_at + limit


def _without(
    machine: Machine, transaction: Transaction, operation: Operation
) -> Transaction:
    """`transaction` as if `operation` had not begun."""
    rule = machine.commands[operation.command].spec
    if rule.is_opening:
        return Transaction(transaction.id, discrepancies=transaction.discrepancies)
    names = transaction.names(operation.amount)
    opened = transaction.operations.items()
    return attrs.evolve(
        transaction,
        amounts=apply_effects(rule.release, names, transaction.amounts),
        operations={name: each for name, each in opened if name != operation.id},
    )
