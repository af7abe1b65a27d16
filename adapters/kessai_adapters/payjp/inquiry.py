"""What the gateway lists of a transaction, by one request or two.

The flow says how it stands. What that leaves open, a second request says:

    succeeded                its refunds
    canceled, processing     its events: whether it had been authorized before

Events are made at every change, each with the whole object as it was then. Without the
flow's id, as after a lost reply, it is found by its metadata among the account's flows.
"""

from collections.abc import Generator, Iterator
from typing import Any

from kessai.gateway import (
    ID_NOT_KNOWN,
    Call,
    Evidence,
    Failure,
    ListedExchange,
    Outcome,
    Reply,
    Request,
)
from kessai_adapters.payjp.replies import (
    REFUND_OUTCOMES,
    WAITING,
    deadlines,
    error_code,
    is_detached,
    is_of,
    read_object,
    setup_references,
)
from kessai_adapters.payjp.requests import FLOW, METHOD, PAGE, SETUP, Sender
from kessai_adapters.payjp.values import (
    CONFIRMED_BY,
    ORDER,
    SERVER,
    is_identifier,
    metadata,
    read_amount,
    read_identifier,
    read_operation,
    read_time,
    status_of,
)
from kessai_adapters.stated import Members, members_of, says

Asking = Generator[Request, Reply | Failure, Any]

_AUTHORIZED = frozenset({"requires_capture", "succeeded"})
_HISTORY = frozenset({"canceled", "processing"})
_OK, _NOT_FOUND = 200, 404


class Unreadable(Exception):
    """A reply is not what was asked for: nothing is known then."""

    def __init__(self, code: str = "", *, never_sent: bool = False) -> None:
        super().__init__()
        self.code = code
        self.never_sent = never_sent


def inquired(
    call: Call, sender: Sender, *, live: bool
) -> Generator[Request, Reply | Failure, Evidence]:
    """Ask what there is of the transaction of `call`."""
    kind, read = (SETUP, _setup) if "consent" in call.tracks else (FLOW, _flow)
    try:
        stated = yield from _found(call, sender, kind, live=live)
        if stated is None:
            return says(call, Outcome.SUCCEEDED, found=False)
        found: Evidence = yield from read(call, sender, stated, live=live)
    except Unreadable as reply:
        return says(call, Outcome.UNKNOWN, code=reply.code, never_sent=reply.never_sent)
    return found


def _found(call: Call, sender: Sender, kind: str, *, live: bool) -> Asking:
    """The flow of the transaction; None if the gateway has none."""
    known = call.references.get(kind)
    if known is not None and not is_identifier(known):
        raise Unreadable
    path = f"{kind}s?limit={PAGE}" if known is None else f"{kind}s/{known}"
    reply = yield sender.get(path)
    if isinstance(reply, Failure):
        raise Unreadable(never_sent=not reply.sent)
    if known is None:
        return _of_order(call, *_list(reply, kind, live=live))
    if reply.status == _NOT_FOUND:
        raise Unreadable(ID_NOT_KNOWN)
    stated = read_object(reply, kind, live=live)
    if stated is None or stated.get("id") != known or not is_of(call, stated):
        raise Unreadable
    return stated


def _of_order(call: Call, found: list[Members], has_more: bool) -> Members | None:  # noqa: FBT001 (as it was read)
    """The one flow of an order; of what was sent twice, the one that was confirmed."""
    ours = [each for each in found if metadata(each, ORDER) == call.transaction]
    ours = [each for each in ours if not is_unconfirmed(each)] or ours
    if len(ours) > 1 or (has_more and not ours):
        raise Unreadable
    return ours[0] if ours else None


def is_unconfirmed(stated: Members) -> bool:
    """Whether this server was to confirm a flow, and never did: it moves nothing."""
    is_ours = metadata(stated, CONFIRMED_BY) == SERVER
    return is_ours and status_of(stated) in WAITING and not error_code(stated)


def is_declined(stated: Members) -> bool:
    """Whether a flow that this server confirmed has failed: nobody else can pay it."""
    is_ours = metadata(stated, CONFIRMED_BY) == SERVER
    return is_ours and status_of(stated) in WAITING and bool(error_code(stated))


def _list(
    reply: Reply | Failure, kind: str, *, live: bool
) -> tuple[list[Members], bool]:
    """The objects of one page of a list, and whether there are more."""
    if isinstance(reply, Failure) or reply.status != _OK:
        raise Unreadable
    stated = members_of(reply.body)
    data, has_more = stated.get("data"), stated.get("has_more")
    if stated.get("object") != "list" or not isinstance(data, list):
        raise Unreadable
    for each in data:
        is_right = isinstance(each, dict) and each.get("object") == kind
        if not is_right or each.get("livemode") is not live:
            raise Unreadable
    if not isinstance(has_more, bool):
        raise Unreadable
    return data, has_more


# ── a payment ───────────────────────────────────────────────────────────────────────


def _flow(call: Call, sender: Sender, stated: Members, *, live: bool) -> Asking:
    id_, status = read_identifier(stated, "id"), status_of(stated)
    references = {FLOW: id_ or ""}
    if is_unconfirmed(stated):
        return says(call, Outcome.SUCCEEDED, references=references)
    more: list[Members] = []
    if status in _HISTORY:
        path = f"events?resource_id={id_}&limit={PAGE}"
        more = _whole((yield sender.get(path)), "event", live=live)
    elif status == "succeeded":
        path = f"payment_flows/{id_}/refunds?limit={PAGE}"
        more = _whole((yield sender.get(path)), "payment_refund", live=live)
    return says(
        call,
        Outcome.SUCCEEDED,
        listing=(_opening(stated, more), *_followed(stated, more)),
        references=references,
        deadlines=deadlines(stated),
    )


def _whole(reply: Reply | Failure, kind: str, *, live: bool) -> list[Members]:
    data, has_more = _list(reply, kind, live=live)
    if has_more:
        raise Unreadable
    return data


def _opening(stated: Members, more: list[Members]) -> ListedExchange:
    """The command that opened the flow; what it came to."""
    status, amount = status_of(stated), read_amount(stated, "amount")
    if amount is None:
        raise Unreadable
    outcome = Outcome.PENDING
    if status in _AUTHORIZED or (status in _HISTORY and _was_authorized(stated, more)):
        outcome = Outcome.SUCCEEDED
    elif status == "canceled" or is_declined(stated):
        outcome = Outcome.DECLINED
    elif status not in {*WAITING, "requires_action", "processing"}:
        raise Unreadable
    return ListedExchange(
        command="authorize",
        outcome=outcome,
        amount=amount,
        exchange=read_identifier(stated, "id"),
        at=read_time(stated, "created_at"),
        operation=read_operation(stated),
    )


def _was_authorized(stated: Members, events: list[Members]) -> bool:
    """Whether a flow was ever held, by its events; they must be as new as the flow."""
    states = [_state(event) for event in events]
    if status_of(stated) not in states:
        raise Unreadable
    return "requires_capture" in states


def _state(event: Members) -> str:
    data = event.get("data")
    return status_of(data) if isinstance(data, dict) else ""


def _followed(stated: Members, more: list[Members]) -> Iterator[ListedExchange]:
    """What happened to the flow after it was authorized."""
    status = status_of(stated)
    if status == "succeeded":
        if stated.get("capture_method") != "automatic":
            yield _captured(stated)
        yield from (_refund(each, stated) for each in more)
    elif status == "processing" and _was_authorized(stated, more):
        yield ListedExchange(command="capture", outcome=Outcome.PENDING)
    elif status == "canceled" and _was_authorized(stated, more):
        expired = stated.get("cancellation_reason") == "expired"
        yield ListedExchange(
            command="expire" if expired else "cancel",
            outcome=Outcome.SUCCEEDED,
            at=read_time(stated, "canceled_at"),
        )


def _captured(stated: Members) -> ListedExchange:
    amount = read_amount(stated, "amount_received")
    if not amount:
        raise Unreadable
    return ListedExchange(command="capture", outcome=Outcome.SUCCEEDED, amount=amount)


def _refund(refund: Members, flow: Members) -> ListedExchange:
    outcome = REFUND_OUTCOMES.get(status_of(refund))
    amount = read_amount(refund, "amount")
    if outcome is None or amount is None or refund.get("payment_flow_id") != flow["id"]:
        raise Unreadable
    return ListedExchange(
        command="refund",
        outcome=outcome,
        amount=amount,
        exchange=read_identifier(refund, "id"),
        at=read_time(refund, "created_at"),
        operation=read_operation(refund),
    )


# ── a saved payment method ──────────────────────────────────────────────────────────


def _setup(call: Call, sender: Sender, stated: Members, *, live: bool) -> Asking:
    references = setup_references(stated)
    status = status_of(stated)
    waits = status in WAITING | {"requires_action", "processing"}
    outcome = Outcome.PENDING if waits else Outcome.DECLINED
    listing: tuple[ListedExchange, ...] = ()
    if status == "succeeded" and METHOD in references:
        outcome = Outcome.SUCCEEDED
        reply = yield sender.get(f"payment_methods/{references[METHOD]}")
        method = read_object(reply, METHOD, live=live)
        if method is None or method.get("id") != references[METHOD]:
            raise Unreadable
        if is_detached(method):
            at = read_time(method, "detached_at")
            listing = (
                ListedExchange(command="terminate", outcome=Outcome.SUCCEEDED, at=at),
            )
    elif not waits and status != "canceled":
        raise Unreadable
    made = ListedExchange(
        command="set_up",
        outcome=outcome,
        exchange=references.get(SETUP),
        at=read_time(stated, "created_at"),
        operation=read_operation(stated),
    )
    return says(
        call, Outcome.SUCCEEDED, listing=(made, *listing), references=references
    )
