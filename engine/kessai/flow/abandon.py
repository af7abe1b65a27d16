"""Ending a checkout that its consumer cannot finish any more, such as by a lost page.

The gateway is asked first. Only what it still reports as waiting for its consumer is
declined as `abandoned`, as an inquiry does once the lifecycle's time for it is over. A
consumer who finishes it after all is a discrepancy.
"""

from datetime import datetime

from kessai.errors import VersionConflict
from kessai.evidence.absence import waiting_for_consumer
from kessai.evidence.outcome import abandoned
from kessai.flow.answer import Answer
from kessai.flow.effects import Flow, History, Now
from kessai.flow.execute import answer_for
from kessai.flow.inquiry import inquire
from kessai.flow.steps import (
    Context,
    contended,
    machine_of,
    no_transaction,
    opening_key,
    write,
)
from kessai.limits import ATTEMPTS


def abandon(context: Context, transaction_id: str) -> Flow[Answer]:
    """The answer of the opening command, which has ended unless it may still succeed.

    Raises:
        UnknownTransaction: no transaction has that id.
        AccountUnknown: it belongs to an account that is not known here.

    """
    for _ in range(ATTEMPTS):
        inquiry = yield from inquire(context, transaction_id)
        transaction = inquiry.transaction
        machine = yield from machine_of(context, transaction)
        if machine is None:
            raise no_transaction(transaction)
        waiting = waiting_for_consumer(machine, transaction)
        if inquiry.readable and waiting is not None:
            now: datetime = yield Now()
            try:
                yield from write(machine, transaction, [abandoned(waiting, now)])
            except VersionConflict:
                continue
        records = yield History(transaction_id)
        return (yield from answer_for(transaction, opening_key(records)))
    raise contended(transaction_id)
