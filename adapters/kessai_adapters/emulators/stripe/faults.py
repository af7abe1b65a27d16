"""What goes wrong at Stripe besides what does at any gateway, or goes otherwise there.

A 500 is saved under its idempotency key once the request began to be carried out, so
`HTTP_500` replaces the one of any server. 429 and 409 stand before all that.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from kessai_adapters.emulators.faults import FaultRule
from kessai_adapters.emulators.reply import EmulatorReply


class OwnFault(StrEnum):
    """What goes wrong with an exchange at this gateway."""

    HTTP_500 = "http_500"
    """Carried out, and answered by 500: now, and whenever the key comes again."""

    HTTP_500_UNDONE = "http_500_undone"
    """The same, and nothing was carried out."""

    HTTP_429 = "http_429"
    """Too many requests: not carried out, and nothing is saved."""

    HTTP_409 = "http_409"
    """Another request holds the object: not carried out, and nothing is saved."""

    PENDING = "pending"
    """A refund waits until the test ends it."""

    REFUSE = "refuse"
    """The card is declined, or the refund fails."""


def api_reply(
    status: int, body: object, headers: Mapping[str, str] | None = None
) -> EmulatorReply:
    """A reply in JSON."""
    return EmulatorReply(
        status=status,
        headers={"Content-Type": "application/json", **(headers or {})},
        body=json.dumps(body, indent=2).encode(),
    )


def error_reply(status: int, kind: str, message: str, code: str = "") -> EmulatorReply:
    """A reply that is an error of the API itself."""
    error = {"type": kind, "message": message, **({"code": code} if code else {})}
    return api_reply(status, {"error": error})


def internal_error() -> EmulatorReply:
    """Something went wrong at Stripe's end."""
    return error_reply(500, "api_error", "An unknown error occurred")


def _too_many(_reply: EmulatorReply) -> EmulatorReply:
    message = "Request rate limit exceeded"
    return error_reply(429, "invalid_request_error", message, "rate_limit")


def _locked(_reply: EmulatorReply) -> EmulatorReply:
    message = "This object cannot be accessed right now: another request holds it"
    return error_reply(409, "invalid_request_error", message)


OWN: Final[Mapping[str, FaultRule]] = {
    OwnFault.HTTP_500: FaultRule(spoil=None),
    OwnFault.HTTP_500_UNDONE: FaultRule(spoil=None),
    OwnFault.HTTP_429: FaultRule(spoil=_too_many, carried_out=False, choice=False),
    OwnFault.HTTP_409: FaultRule(spoil=_locked, carried_out=False, choice=False),
    OwnFault.PENDING: FaultRule(spoil=None),
    OwnFault.REFUSE: FaultRule(spoil=None),
}
"""How each of them goes."""
