"""An adapter's exchange: its first request made before the intent, the rest sent after.

The engine records its intent to send once the first request exists, so what cannot be
sent at all leaves no trace. Once that request is sent, nothing is raised here: whatever
an adapter does, its result is evidence, or the outcome is unknown.
"""

from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec

from kessai.errors import InvalidInput
from kessai.flow.effects import Flow, Send
from kessai.gateway import (
    Adapter,
    Call,
    Evidence,
    Exchange,
    Failure,
    Mention,
    Notification,
    Outcome,
    Reply,
    Request,
)
from kessai.gateway_exchange import rebuilt, sealing, unknown

MOST_REQUESTS = 20
"""How many requests an exchange may have, so that every exchange ends."""


class StartedExchange(msgspec.Struct, frozen=True):
    """An exchange with its first request, or with its evidence if it sends none."""

    call: Call
    exchange: Exchange
    first: Request | None
    evidence: Evidence | None = None


def start(
    adapter: Adapter, call: Call, exchange: Exchange | None = None
) -> StartedExchange:
    """Begin the exchange for `call`, or another `exchange` about it. Nothing is sent.

    Raises whatever the adapter does, and:
        InvalidInput: what it yielded first is not a request.

    """
    exchange = exchange or adapter.exchange(call)
    try:
        first: Any = next(exchange)
    except StopIteration as stop:
        return StartedExchange(
            call, exchange, None, _believed(call, stop.value, None, has_left=False)
        )
    if not isinstance(first, Request):
        message = f"{adapter.name}: its exchange for {call.command} gave no request"
        raise InvalidInput(message)
    return StartedExchange(call, exchange, first)


def carry_on(
    adapter: Adapter, started: StartedExchange, until: datetime | None = None
) -> Flow[Evidence]:
    """Send the requests of an exchange, none after `until`; returns its evidence.

    For example, an exchange has two requests: one makes an order at the gateway, and
    one captures it. The first is answered; for the second it is too late. An adapter
    that only looks at the last reply reports that the capture never left. But the order
    exists, so that is not believed: the outcome is unknown, and an inquiry decides.
    """
    call = started.call
    request: object = started.first
    seal, has_left = sealing(adapter), False
    for _ in range(MOST_REQUESTS):
        if not isinstance(request, Request):
            break
        reply = yield from _sent(Send(request, until, seal))
        has_left = has_left or isinstance(reply, Reply) or reply.sent
        try:
            request = started.exchange.send(reply)
        except StopIteration as stop:
            return _believed(call, stop.value, reply, has_left=has_left)
        except Exception as error:  # noqa: BLE001 - something was sent: it is unknown
            return unknown(call, f"adapter raised {type(error).__name__[:99]}")
    with suppress(Exception):
        started.exchange.close()
    return started.evidence or unknown(call)


def _sent(send: Send) -> Flow[Reply | Failure]:
    """What came of a request. Where the transport broke its word, it may have left.

    A transport is other people's code, too: an error of ours that it raises, be it
    "nothing was written", says nothing of the request. What is not an `Exception` (an
    interrupt, a cancelled task) is the end of the process, and passes through.
    """
    try:
        reply: Any = yield send
    except Exception as error:  # noqa: BLE001 - whatever it is, something may be sent
        return Failure(sent=True, reason=type(error).__name__[:99])
    match reply:
        case Reply(status=int(), body=bytes()) | Failure(sent=bool()):
            return reply
        case _:
            return Failure(sent=True, reason=f"no reply: {type(reply).__name__[:99]}")


def _believed(
    call: Call, given: object, last: Reply | Failure | None, *, has_left: bool
) -> Evidence:
    """The evidence, if what was sent allows it; otherwise the outcome is unknown.

    `last` is the last reply, and with `has_left` some request may have left.

    If a request may have left, a failure does not prove that nothing happened; if none
    has left, nothing can have happened. A resumption that was not sent proves nothing
    about the opening command itself: its request had left before.
    """
    evidence = rebuilt(call, given)
    if has_left:
        silent = isinstance(last, Failure)
        is_wrong = evidence.never_sent or (
            silent and evidence.outcome is Outcome.DECLINED
        )
    else:
        only_of_this = call.resumed is None and evidence.outcome is Outcome.DECLINED
        is_wrong = not only_of_this and evidence.outcome is not Outcome.UNKNOWN
    return unknown(call, disclosed=evidence.disclosed) if is_wrong else evidence


def read_items(
    adapter: Adapter, notification: Notification
) -> Flow[tuple[Evidence | Mention, ...]]:
    """The items that an adapter reads from a notification; it may ask the gateway.

    Raises whatever the adapter does, and:
        InvalidInput: it makes too many requests, or its result is not a tuple.

    """
    reception = adapter.received(notification)
    reply: Reply | Failure | None = None
    request: Any = None
    items: Any = None
    for _ in range(MOST_REQUESTS + 1):
        try:
            request = next(reception) if reply is None else reception.send(reply)
        except StopIteration as stop:
            request, items = None, stop.value
        if not isinstance(request, Request):
            break
        reply = yield from _sent(Send(request, None, sealing(adapter)))
    if isinstance(items, tuple):
        return items
    message = f"{adapter.name}: what it reads from a notification is not a tuple"
    raise InvalidInput(message)
