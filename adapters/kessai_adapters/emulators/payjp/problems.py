"""What the gateway refuses, as RFC 9457 problems: titles and statuses by call.

The titles are those of the official SDK's pages. Of the codes, those of the idempotency
layer and `over_capacity` are documented; the others are the title in small letters.
"""

import json
from typing import Any, Final, Never

from kessai_adapters.emulators.errors import EmulatorError
from kessai_adapters.emulators.reply import EmulatorReply

CONTENT_TYPE: Final = "application/problem+json"


class Problem(EmulatorError):
    """The gateway says no; `reason` is the issuer's code where one declined."""

    def __init__(
        self,
        status: int,
        title: str,
        *,
        code: str = "",
        detail: str = "",
        reason: str = "",
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.code = code or title.lower().replace(" ", "_")
        self.detail = detail
        self.reason = reason

    def reply(self) -> EmulatorReply:
        """The problem as it goes over the wire."""
        stated: dict[str, Any] = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail or self.title,
        }
        if self.reason:
            stated["errors"] = [{"code": self.reason}]
        body = json.dumps(stated).encode()
        return EmulatorReply(
            status=self.status, headers={"Content-Type": CONTENT_TYPE}, body=body
        )


def refuse_value(name: str, why: str) -> Never:
    """Refuse a parameter that is missing, unknown, or out of bounds."""
    raise Problem(422, "Validation Error", detail=f"{name}: {why}")


def refuse_missing(what: str) -> Never:
    """Refuse because there is no such object."""
    raise Problem(404, "Not Found", detail=f"there is no such {what}")


def refuse_status(status: str) -> Never:
    """Refuse because the object is in a status in which the call is not possible."""
    raise Problem(400, "Invalid Status", detail=f"not possible in status {status}")


def refuse_payment(reason: str) -> Never:
    """Refuse because the issuer, or PayPay, declined."""
    raise Problem(402, "Payment Failed", reason=reason)
