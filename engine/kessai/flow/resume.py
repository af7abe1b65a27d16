"""Sending on what the consumer came back with: an intent like any other.

Some gateways send the consumer back with a token, and nothing is paid until the order
system has sent the token on. It is sent once the intent to send it is recorded. Tokens
are stored nowhere, only the hash of them all, because whoever holds one can pay with
it. So only the shop can send them once more, with `resume`.
"""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from kessai.errors import SafeToResend, VersionConflict
from kessai.flow.answer import Answer
from kessai.flow.effects import Flow, History, Now
from kessai.flow.execute import answer_for, carry_out, operation_to_send
from kessai.flow.inquiry import Recovery
from kessai.flow.steps import (
    Context,
    begun_hash,
    call_for,
    contended,
    load_with_machine,
    no_transaction,
    open_opening,
    opening_key,
    write,
)
from kessai.gateway import Adapter
from kessai.limits import ATTEMPTS
from kessai.machine import (
    Event,
    Operation,
    Phase,
    Resumed,
    read_events,
)
from kessai.machine.command import checked_resumption, fingerprint
from kessai.machine.phases import RESUMED, phase_after


class StillUnderWay(SafeToResend):
    """A request of the same operation is in flight: try again once it is answered."""


def resume(
    context: Context, transaction_id: str, parameters: Mapping[str, str]
) -> Flow[Answer]:
    """Send on what the consumer came back with, while the opening command is open.

    The same parameters are sent again, under the same keys, only while their outcome is
    not known. Once the opening command has ended, its answer is given.

    Raises:
        InvalidCommand: the parameters are not texts by their names.
        InvalidInput: the gateway takes nothing that a consumer brings back.
        UnknownTransaction: no transaction has that id.
        AccountUnknown: it belongs to an account that is not known here.
        StillUnderWay: a request of the opening command is not answered yet.

    """
    brought = checked_resumption(parameters)
    for _ in range(ATTEMPTS):
        transaction, machine = yield from load_with_machine(context, transaction_id)
        if machine is None:
            raise no_transaction(transaction)
        context.adapter_of(transaction)
        records = yield History(transaction_id)
        opening = open_opening(machine, transaction)
        request = fingerprint(brought)
        if opening is None or _is_answered(opening, read_events(records), request):
            return (yield from answer_for(transaction, opening_key(records)))
        now = yield Now()
        is_sent = phase_after(opening.phase, RESUMED) is not None
        if not is_sent or opening.is_awaited(now):
            message = f"{opening.id}: the gateway has not answered yet; try again later"
            raise StillUnderWay(message)
        call = call_for(
            machine, transaction, opening, begun_hash(records, opening), brought
        )
        to_send = operation_to_send(context, machine, transaction, call)
        event = Resumed(now, opening.id, request)
        try:
            after, _ = yield from write(machine, transaction, [event], is_intent=True)
        except VersionConflict:
            continue
        again = after.operations[opening.id]
        earlier = [each for each in read_events(records) if isinstance(each, Resumed)]
        to_send = replace(
            to_send,
            transaction=after,
            operation=again,
            may_have_arrived=bool(earlier),
            is_replayed=_are_replayed(to_send.adapter, earlier, event),
        )
        return (yield from carry_out(context, to_send))
    raise contended(transaction_id)


def _are_replayed(adapter: Adapter, earlier: Iterable[Resumed], last: Resumed) -> bool:
    """Whether the gateway surely answers `last` as it did whichever of the others arrived."""
    known_since = Recovery().known_since(adapter, last.at)
    return known_since is not None and all(
        each.request == last.request and each.at >= known_since for each in earlier
    )


def _is_answered(opening: Operation, trail: Iterable[Event], request: str) -> bool:
    """Whether exactly this was sent on last, and the gateway has accepted it."""
    brought = [event.request for event in trail if isinstance(event, Resumed)]
    return opening.phase is Phase.PENDING and brought[-1:] == [request]
