"""ExamplePay's settings, and the requests it is sent."""

import json
import re
from collections.abc import Callable, Mapping
from typing import ClassVar
from urllib.parse import quote

import attrs

from kessai.errors import InvalidInput
from kessai.gateway import INQUIRY, Call, Evidence, Failure, Reply, Request
from kessai_examplepay import reading

HOST = "https://api.examplepay.example"
CURRENCIES = ("JPY", "USD", "EUR")

_PATHS = {
    "authorize": "/v1/orders",
    "capture": "/v1/orders/{order}/captures",
    "cancel": "/v1/orders/{order}/cancellation",
    "refund": "/v1/orders/{order}/refunds",
}
_MEMBERS = {"note": "note", "reason": "reason"}


def _form(what: str, pattern: str) -> Callable[[object], str]:
    compiled = re.compile(pattern)

    def checked(value: object) -> str:
        if isinstance(value, str) and compiled.fullmatch(value):
            return value
        message = f"must be {what}"
        raise InvalidInput(message)

    return checked


_key = _form("sk_ and 32 digits or small letters", r"sk_[0-9a-z]{32}")
_notification_secret = _form(
    "whsec_ and 32 digits or small letters", r"whsec_[0-9a-z]{32}"
)
_host = _form(
    "https://<name>[:port], http only on 127.0.0.1",
    r"https://[a-z0-9.-]{1,253}(:[0-9]{1,5})?|http://127\.0\.0\.1(:[0-9]{1,5})?",
)


@attrs.frozen
class ExamplePay:
    """ExamplePay, as pure functions over bytes."""

    name: ClassVar[str] = "examplepay"

    key: str = attrs.field(repr=False, converter=_key)
    notification_secret: str = attrs.field(repr=False, converter=_notification_secret)
    host: str = attrs.field(default=HOST, converter=_host)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "ExamplePay":
        """Make the adapter that `KESSAI_EXAMPLEPAY_…` variables describe."""
        settings = {}
        for field in attrs.fields(cls):
            variable = f"KESSAI_EXAMPLEPAY_{field.name.upper()}"
            value = environ.get(variable)
            if value:
                settings[field.name] = _setting(variable, value, field.converter)
            elif field.default is attrs.NOTHING:
                message = f"{variable}: is not set"
                raise InvalidInput(message)
        return cls(**settings)

    def request(self, call: Call) -> Request:
        """Make the bytes that carry out `call`."""
        order = quote(call.transaction, safe="")
        if call.command == INQUIRY:
            url = f"{self.host}/v1/orders/{order}"
            return Request(method="GET", url=url, headers=self._headers())
        path = _PATHS.get(call.command)
        if path is None:
            message = f"ExamplePay has no command {call.command!r}"
            raise InvalidInput(message)
        return Request(
            method="POST",
            url=self.host + path.format(order=order),
            headers=(*self._headers(), ("Idempotency-Key", call.key())),
            body=_body(call),
        )

    def evidence(self, call: Call, reply: Reply | Failure) -> Evidence:
        """What came of `call`."""
        if call.command == INQUIRY:
            return reading.inquired(call, reply)
        return reading.answered(call, reply)

    def notification(
        self, headers: Mapping[str, str], body: bytes
    ) -> tuple[Evidence, ...]:
        """What a notification states, one piece of evidence an event."""
        reading.verify(self.notification_secret, headers, body)
        return reading.notified(body)

    def _headers(self) -> tuple[tuple[str, str], ...]:
        return (
            ("Authorization", f"Bearer {self.key}"),
            ("Content-Type", "application/json"),
        )


def _setting(variable: str, value: str, read: Callable[[object], str]) -> str:
    try:
        return read(value)
    except InvalidInput as mistake:
        message = f"{variable}: {mistake}"
        raise InvalidInput(message) from None


def _body(call: Call) -> bytes:
    if call.currency not in CURRENCIES:
        message = f"the currency must be one of {', '.join(CURRENCIES)}"
        raise InvalidInput(message)
    members: dict[str, object] = {"order": call.transaction, "operation": call.command}
    if call.amount is not None:
        members |= {"amount": call.amount, "currency": call.currency}
    for name, value in sorted(call.parameters.items()):
        if name not in _MEMBERS or not isinstance(value, str):
            message = (
                f"{call.command}: ExamplePay takes only {', '.join(_MEMBERS)}, texts"
            )
            raise InvalidInput(message)
        members[_MEMBERS[name]] = value
    return json.dumps(members).encode()
