"""Asking the gateway once more about what has no final answer yet.

An opening command is accepted long before the consumer has approved it, and a reply
can be lost: in both cases only an inquiry shows what came of it.
"""

from datetime import timedelta

import attrs

from kessai.cli.terminal.gateways import Wiring
from kessai.flow import Answer, Missing, Recovery, Status
from kessai.flow.answer import OPEN
from kessai.limits import NOTHING_IN_FLIGHT

_AT_ONCE = Recovery(patience=timedelta(0), missing=Missing.KEEP)
_IN_PROCESS = Recovery(
    patience=timedelta(0),
    in_flight_limit=timedelta(0),
    missing=Missing.RESEND,
    waits=NOTHING_IN_FLIGHT,
)


def recovery_for(wiring: Wiring) -> Recovery:
    """How open operations are recovered through this wiring.

    An emulator in this process is held by it alone, so nothing can be under way to it
    any more: what its inquiry does not list never arrived, and is sent again. With a
    real gateway a request may still arrive, so what is missing stays open.
    """
    return _AT_ONCE if wiring.local is None else _IN_PROCESS


def resolved(wiring: Wiring, answer: Answer) -> Answer:
    """`answer`, or what stands under its key after one inquiry if it was open."""
    if answer.status not in OPEN:
        return answer
    recovery = recovery_for(wiring)
    for found in wiring.engine.recover_transaction(answer.transaction.id, recovery):
        if found.key == answer.key:
            is_lost = answer.is_page_lost and found.status is Status.PENDING
            return attrs.evolve(found, disclosed=answer.disclosed, is_page_lost=is_lost)
    return answer
