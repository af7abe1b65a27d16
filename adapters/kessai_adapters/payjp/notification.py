"""Webhooks: who sent one, and which object it is about. Nothing else in it is believed.

A webhook bears the account's token and no signature: it proves that somebody knows the
token, and nothing of the body. So it is only a reason to ask the gateway.
"""

import hmac
from collections.abc import Mapping
from typing import Never

from kessai.errors import NotificationRefused
from kessai.gateway import Mention
from kessai_adapters.payjp.requests import FLOW, METHOD, SETUP
from kessai_adapters.payjp.values import ORDER, metadata, read_code, read_identifier
from kessai_adapters.stated import members_of

BODY_LIMIT = 1024 * 1024
"""The longest webhook that is read, in bytes."""

_HEADER = "x-payjp-webhook-token"


def _refuse(why: str) -> Never:
    message = f"notification refused: {why}"
    raise NotificationRefused(message)


def verify(token: str | None, headers: Mapping[str, str], body: bytes) -> None:
    """Make sure that the sender knows the account's token.

    Raises:
        NotificationRefused: it does not, or the body is longer than `BODY_LIMIT`.

    """
    if len(body) > BODY_LIMIT:
        _refuse(f"its body is longer than {BODY_LIMIT} bytes")
    given = [value for name, value in headers.items() if name.lower() == _HEADER]
    if token is None or len(given) != 1:
        _refuse("it must carry X-Payjp-Webhook-Token exactly once, and it must be set")
    if not hmac.compare_digest(given[0].encode("utf-8", "replace"), token.encode()):
        _refuse("its X-Payjp-Webhook-Token is not the account's")


def mentioned(body: bytes, *, live: bool) -> tuple[Mention, ...]:
    """The object to ask about; none if it is nothing that kessai asks about.

    What was not made by kessai may have been imported.

    Raises:
        NotificationRefused: it is no event, or one of the other mode.

    """
    event = members_of(body)
    data = event.get("data")
    if event.get("object") != "event" or not isinstance(data, dict):
        _refuse("it is no event")
    if event.get("livemode") is not live:
        _refuse("it is of a test where payments are live, or the other way round")
    flow = read_identifier(data, "payment_flow_id")
    if flow is not None:  # a refund, or a dispute
        return (Mention(FLOW, flow),)
    kind, id_ = read_code(data.get("object")), read_identifier(data, "id")
    if id_ is None:
        _refuse("it names no object")
    ends = kind == METHOD and data.get("customer_id") is None
    if not ends and kind not in {FLOW, SETUP}:
        return ()
    is_ours = metadata(data, ORDER) is not None
    return (Mention(kind, id_, made_elsewhere=not is_ours),)
