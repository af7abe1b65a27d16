"""The consumer's page once more, for a shop that has lost the answer that held it.

Whoever holds the page can pay with it, so it is stored nowhere: the gateway is asked for
it again. An adapter either reads it there, or sends the very requests of the opening
command once more, to a gateway that repeats its answer to a key that it knows. Nothing
is moved by that, and nothing but the page is taken from it.

    11:00  authorize (order.1) is sent under its keys; the process dies with the reply
    11:05  the same command, same key: an inquiry shows that order.1 is pending
    11:05  the same requests, same keys: the gateway's first answer again, with the page
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from kessai.errors import InvalidInput
from kessai.flow.effects import Flow, History, Now
from kessai.flow.exchange import carry_on, start
from kessai.flow.inquiry import Recovery, inquire
from kessai.flow.steps import Context, begun_hash, call_for
from kessai.limits import SEND_WITHIN
from kessai.machine import Machine, Operation, Phase, Record, Transaction


def page_again(
    context: Context, machine: Machine, transaction: Transaction, operation: Operation
) -> Flow[Mapping[str, Any] | None]:
    """What the gateway discloses again of an open opening command.

    Empty if it does not answer now, or if no consumer is to be sent to it; None if it
    never discloses that again.
    """
    adapter = context.adapter_of(transaction)
    now: datetime = yield Now()
    if operation.is_awaited(now) or operation.resumed_at is not None:
        return {}
    if operation.phase is not Phase.PENDING:
        inquiry = yield from inquire(context, transaction.id)
        transaction = inquiry.transaction
        found = transaction.operations.get(operation.id)
        if found is None or found.phase is not Phase.PENDING:
            return {}
        operation = found
    records: list[Record] = yield History(transaction.id)
    begun = begun_hash(records, operation)
    now = yield Now()
    known_since = Recovery().known_since(adapter, now)
    call = call_for(machine, transaction, operation, begun)
    if known_since is None or operation.begun_at < known_since:
        # Under a key that may be forgotten, the same request would be another checkout.
        call = attrs.evolve(call, references=transaction.references, seed="")
    try:
        started = start(adapter, call, adapter.page(call))
    except InvalidInput:
        return None
    evidence = yield from carry_on(adapter, started, now + SEND_WITHIN)
    return evidence.disclosed
