"""What an exchange may leave behind in a log: enough to trace it, nothing to misuse.

Masked are secrets, proofs of them, and everything that shows who a consumer is.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

from kessai.card_numbers import has_card_number
from kessai.gateway import Call, Failure, Outcome, Reply, Request
from kessai_adapters.veritrans4g.commands import COMMANDS
from kessai_adapters.veritrans4g.replies import BROKEN_OFF, NEVER_SENT
from kessai_adapters.veritrans4g.values import (
    read_code,
    read_compact_time,
    read_identifier,
    read_outcome,
)
from kessai_adapters.veritrans4g.wire import read_result

MASK = "***"

# By what a member's name contains and not by a list of names: a member that the gateway
# adds tomorrow (`shippingKana`) must be masked on its first day.
_SENSITIVE_NAME = re.compile(
    r"name|address|phone|mail|postal|zip|prefecture|buyer|shipping|billing"
    r"|token|secret|password|merchantkey|secretkey|ccid|authhash|hmac|authinfo|authparams"
    r"|accountid|card|session|url|responsecontents|merrmsg|resultjson|preferences|reason|restrictions",
    re.IGNORECASE,
)
_SENSITIVE_TEXT = re.compile(r"[0-9A-Fa-f]{64}|[^\s@]@[^\s@]|<[A-Za-z!]")
_DEEPEST = 32
_LIKE_A_CARD = range(10**12, 10**19)


def _is_sensitive(value: str | int) -> bool:
    if isinstance(value, int):
        return value in _LIKE_A_CARD and has_card_number(str(value))
    return _SENSITIVE_TEXT.search(value) is not None or has_card_number(value)


def mask(value: object) -> Any:
    """Copy `value`, wire members in any nesting, so that it is fit for a log.

    A member is masked for its name, and a value for looking like a key, a hash, an
    e-mail address, a page or a card number, whatever its name. Bytes are masked whole.
    """
    return _masked(value, _DEEPEST)


def _masked(value: object, depth: int) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int | str):
        return MASK if _is_sensitive(value) else value
    if depth == 0:
        return MASK
    if isinstance(value, Mapping):
        members = cast("Mapping[object, object]", value)
        return {
            _masked(name, 0): _member(name, member, depth - 1)
            for name, member in members.items()
        }
    if isinstance(value, list | tuple):
        return [_masked(item, depth - 1) for item in cast("list[object]", value)]
    return MASK


def _member(name: object, value: object, depth: int) -> Any:
    if value is None or (isinstance(name, str) and not _SENSITIVE_NAME.search(name)):
        return _masked(value, depth)
    return MASK


def exchange_for_log(
    call: Call, request: Request, reply: Reply | Failure | None = None
) -> dict[str, Any]:
    """One exchange with the gateway as a flat dict that is fit for a log.

    Nothing is copied from either body but ids, codes and times of a known form.
    """
    entry: dict[str, Any] = {
        "command": COMMANDS.get(call.command, call.command),
        "orderId": call.transaction,
        "amount": call.amount,
        "operation": call.operation,
        "url": request.url,
        "requestBytes": len(request.body),
    }
    if isinstance(reply, Failure):
        entry["vResultCode"] = BROKEN_OFF if reply.sent else NEVER_SENT
    elif reply is not None:
        entry |= _reply_for_log(reply)
    return entry


def _reply_for_log(reply: Reply) -> dict[str, Any]:
    entry = {"status": reply.status, "replyBytes": len(reply.body)}
    result = read_result(reply.body)
    if result is None:
        return entry
    understood = read_outcome(result.get("mstatus")) is not Outcome.UNKNOWN
    answered_at = read_compact_time(result.get("centerResponseDatetime"))
    return entry | {
        "mstatus": result["mstatus"] if understood else None,
        "vResultCode": read_code(result.get("vResultCode")),
        "custTxn": read_identifier(result.get("custTxn")),
        "centerResponseDatetime": answered_at and answered_at.isoformat(),
    }
