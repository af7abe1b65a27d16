"""Settling what has no answer yet, and moving what is overdue: never by time alone."""

from datetime import datetime

from kessai.errors import VersionConflict
from kessai.flow.answer import Answer
from kessai.flow.effects import Flow, Now
from kessai.flow.execute import answer_for, carry_out, errand_for
from kessai.flow.look_up import Missing, Recovery, look_up
from kessai.flow.steps import Context, load, machine_of, write
from kessai.machine import Transaction
from kessai.machine.settle import overdue


def recover(
    context: Context, transaction_id: str, recovery: Recovery
) -> Flow[list[Answer]]:
    """Look up one transaction; the answers of all operations that were open before.

    Raises:
        TrailBroken: the transaction's chain does not hold.

    """
    before = yield from load(transaction_id)
    finding = yield from look_up(context, transaction_id, recovery)
    machine = yield from machine_of(context, finding.transaction)
    if machine is not None and recovery.missing is Missing.RESEND:
        for operation in finding.absent:
            transaction = yield from load(transaction_id)
            if operation.id not in transaction.operations:
                continue  # a push was faster: it has ended, and must not begin again
            errand = errand_for(context, machine, transaction, operation)
            yield from carry_out(context, errand)
    answers: list[Answer] = []
    for operation in before.operations.values():
        answer = yield from answer_for(before, operation.key)
        answers.append(answer)
    return answers


def sweep(context: Context, transaction_id: str) -> Flow[Transaction]:
    """Move a transaction over the deadlines that have passed, if nothing is open."""
    transaction = yield from load(transaction_id)
    machine = yield from machine_of(context, transaction)
    if machine is None:
        return transaction
    now: datetime = yield Now()
    try:
        transaction, _ = yield from write(
            machine, transaction, overdue(machine, transaction, now)
        )
    except VersionConflict:  # something happens to it: nothing lapses meanwhile
        transaction = yield from load(transaction_id)
    return transaction
