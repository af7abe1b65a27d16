"""What an inquiry (Search) states of one transaction: the list of its exchanges.

An inquiry resolves what is unknown, so it is believed only when it is whole: an answer
that is cut off, ambiguous or about something else resolves nothing.
"""

from collections.abc import Mapping
from typing import Any, cast

import attrs

from kessai.gateway import (
    Call,
    Evidence,
    Failure,
    ListedExchange,
    Outcome,
    Reply,
    Source,
)
from kessai_adapters.veritrans4g.commands import engine_command
from kessai_adapters.veritrans4g.replies import (
    BROKEN_OFF,
    NEVER_SENT,
    UNREADABLE,
    status_code,
)
from kessai_adapters.veritrans4g.values import (
    is_unreadable_amount,
    read_amount,
    read_code,
    read_identifier,
    read_outcome,
    read_spaced_time,
)
from kessai_adapters.veritrans4g.wire import read_result

_OK = 200
_SERVICE = "amazonpay"
_EXPIRED = "expired"


class _UnresolvedError(Exception):
    """The answer cannot be relied on."""


def inquired(call: Call, reply: Reply | Failure) -> Evidence:
    """What the gateway lists for `call.transaction`, or that it knows none.

    An inquiry that never left declines nothing, so it is UNKNOWN like any other failed
    inquiry, with `never_sent` set.
    """
    if isinstance(reply, Failure):
        code = BROKEN_OFF if reply.sent else NEVER_SENT
        return attrs.evolve(_unresolved(call, code), never_sent=not reply.sent)
    if reply.status != _OK:
        return _unresolved(call, status_code(reply))
    result = read_result(reply.body)
    if result is None:
        return _unresolved(call, UNREADABLE)
    code = read_code(result.get("vResultCode"))
    try:
        order = _order(call, result)
        listing = () if order is None else _listing(order)
    except _UnresolvedError:
        return _unresolved(call, code or UNREADABLE)
    return Evidence(
        source=Source.INQUIRY,
        transaction=call.transaction,
        command=None,
        outcome=Outcome.SUCCEEDED,
        code=code,
        found=order is not None,
        listing=listing,
    )


def _unresolved(call: Call, code: str) -> Evidence:
    return Evidence(
        source=Source.INQUIRY,
        transaction=call.transaction,
        command=None,
        outcome=Outcome.UNKNOWN,
        code=code,
    )


def _order(call: Call, result: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if read_outcome(result.get("mstatus")) is not Outcome.SUCCEEDED:
        raise _UnresolvedError
    orders = _entries(result, "orderInfos", "orderInfo")
    count = result.get("searchCount")
    if not orders:
        # "Not found" lets a caller open anew, so it must be stated, not implied.
        if orders is None and read_amount(count) != 0:
            raise _UnresolvedError
        if count is not None and read_amount(count) != 0:
            raise _UnresolvedError
        return None
    ours = [order for order in orders if _is_ours(call, order)]
    if len(ours) != 1:
        raise _UnresolvedError
    return ours[0]


def _is_ours(call: Call, order: Mapping[str, Any]) -> bool:
    service = order.get("serviceTypeCd", _SERVICE)
    return service == _SERVICE and order.get("orderId") == call.transaction


def _entries(
    holder: Mapping[str, Any], outer: str, inner: str
) -> list[Mapping[str, Any]] | None:
    listed = holder.get(outer)
    if listed is None:
        return None
    entries = (
        cast("dict[str, object]", listed).get(inner)
        if isinstance(listed, dict)
        else listed
    )
    if entries is None:
        return None
    if not isinstance(entries, list):
        raise _UnresolvedError
    for entry in cast("list[object]", entries):
        if not isinstance(entry, dict):
            raise _UnresolvedError
    return cast("list[Mapping[str, Any]]", entries)


def _listing(order: Mapping[str, Any]) -> tuple[ListedExchange, ...]:
    exchanges = _entries(order, "transactionInfos", "transactionInfo")
    if exchanges is None:
        # An order without its list may hold anything; an empty list holds nothing.
        raise _UnresolvedError
    listing = [listed for listed in map(_listed, exchanges) if listed is not None]
    status = order.get("orderStatus")
    if isinstance(status, str) and status.lower() == _EXPIRED:
        listing.append(ListedExchange(command="expire", outcome=Outcome.SUCCEEDED))
    return tuple(listing)


def _listed(exchange: Mapping[str, Any]) -> ListedExchange | None:
    name = exchange.get("command")
    if not isinstance(name, str):
        raise _UnresolvedError
    command = engine_command(name)
    if command is None:
        return None
    outcome = read_outcome(exchange.get("mstatus"))
    if outcome is not Outcome.UNKNOWN and is_unreadable_amount(exchange.get("amount")):
        raise _UnresolvedError
    return ListedExchange(
        command=command,
        outcome=outcome,
        amount=read_amount(exchange.get("amount")),
        exchange=read_identifier(exchange.get("txnId")),
        at=read_spaced_time(exchange.get("txnDatetime")),
    )
