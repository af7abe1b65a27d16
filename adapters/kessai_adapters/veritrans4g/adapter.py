"""The adapter itself: settings, checked once, in front of the pure functions."""

import hashlib
import re
from collections.abc import Mapping
from typing import ClassVar

import attrs

from kessai.errors import InvalidInput
from kessai.gateway import INQUIRY, Call, Evidence, Failure, Reply, Request
from kessai_adapters.settings import checked_host, environment_of, required, setting
from kessai_adapters.veritrans4g import notification as notifications
from kessai_adapters.veritrans4g.commands import COMMANDS
from kessai_adapters.veritrans4g.credentials import (
    Credentials,
    checked_ccid,
    checked_secret_key,
)
from kessai_adapters.veritrans4g.inquiry import inquired
from kessai_adapters.veritrans4g.replies import answer
from kessai_adapters.veritrans4g.requests import NOTIFICATION_PARAMETERS, members_of
from kessai_adapters.veritrans4g.wire import HEADERS, Envelope

DEFAULT_HOST = "https://api3.veritrans.co.jp"

_NOTIFICATION_URL = re.compile(r"https?://[!-~]{1,248}")
_LONGEST_URL = 256
_SWITCH = {"1": True, "true": True, "0": False, "false": False}


def _checked_notification_url(value: object) -> str | None:
    if value is None:
        return None
    if (
        not isinstance(value, str)
        or len(value) > _LONGEST_URL
        or not _NOTIFICATION_URL.fullmatch(value)
    ):
        message = "the notification URL must be http(s), in ASCII, of at most 256 bytes"
        raise InvalidInput(message)
    return value


def _checked_dummy(value: object) -> bool:
    if not isinstance(value, bool):
        message = "dummy must be true or false"
        raise InvalidInput(message)
    return value


def _switch(value: str) -> bool:
    switch = _SWITCH.get(value.lower())
    if switch is None:  # no KeyError, which would show the value: it may be a key
        message = "must be 1, true, 0 or false"
        raise InvalidInput(message)
    return switch


def _envelope_of(adapter: "VeriTrans4G") -> Envelope:
    return Envelope(adapter.credentials, adapter.dummy)


def _account_of(adapter: "VeriTrans4G") -> str:
    """The adapter, the merchant and the environment.

    It is stored and shown, which the merchant's CCID is not: its hash stands for it.
    """
    digest = hashlib.sha256(adapter.credentials.merchant_ccid.encode()).hexdigest()
    kind = environment_of(adapter.host, live=not adapter.dummy)
    return f"{adapter.name}/{digest[:12]}/{kind}"


def _urls_of(adapter: "VeriTrans4G") -> Mapping[str, str]:
    base = f"{adapter.host}/{'test-' if adapter.dummy else ''}paynow"
    urls = {name: f"{base}/v2/{wire}/amazonpay" for name, wire in COMMANDS.items()}
    return {**urls, INQUIRY: f"{base}-search/v2/Search/search"}


def _defaults_of(adapter: "VeriTrans4G") -> Mapping[str, str]:
    return (
        dict.fromkeys(NOTIFICATION_PARAMETERS, adapter.notification_url)
        if adapter.notification_url
        else {}
    )


@attrs.frozen
class VeriTrans4G:
    """Amazon Pay through VeriTrans4G.

    `host` is where the gateway is: https, or http on loopback for its stand-in.
    Payments are tests if `dummy` is set; they are live by default, since a shop that
    delivers on test payments loses its goods. `notification_url` is where the gateway
    sends results that a call names no address for. `account` is whose payments these are.

    Raises:
        InvalidInput: a setting is not well-formed; the message never shows its value.

    """

    name: ClassVar[str] = "veritrans4g"

    credentials: Credentials = attrs.field(repr=False)
    host: str = attrs.field(default=DEFAULT_HOST, converter=checked_host, kw_only=True)
    dummy: bool = attrs.field(default=False, converter=_checked_dummy, kw_only=True)
    notification_url: str | None = attrs.field(
        default=None, converter=_checked_notification_url, kw_only=True, repr=False
    )
    account: str = attrs.field(
        kw_only=True, default=attrs.Factory(_account_of, takes_self=True)
    )
    _envelope: Envelope = attrs.field(
        init=False,
        repr=False,
        eq=False,
        default=attrs.Factory(_envelope_of, takes_self=True),
    )
    _urls: Mapping[str, str] = attrs.field(
        init=False,
        repr=False,
        eq=False,
        default=attrs.Factory(_urls_of, takes_self=True),
    )
    _defaults: Mapping[str, str] = attrs.field(
        init=False,
        repr=False,
        eq=False,
        default=attrs.Factory(_defaults_of, takes_self=True),
    )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "VeriTrans4G":
        """Make the adapter that `KESSAI_VERITRANS_…` variables describe.

        `CCID` and `KEY` are required. `HOST`, `DUMMY` (1, true, 0 or false) and
        `NOTIFICATION_URL` have the defaults of the class; an empty variable is an unset
        one.

        Raises:
            InvalidInput: a variable is missing or not well-formed; the message names
                it and never shows its value.

        """
        prefix = "KESSAI_VERITRANS_"
        ccid, key = required(
            environ,
            {f"{prefix}CCID": checked_ccid, f"{prefix}KEY": checked_secret_key},
        )
        return cls(
            Credentials(ccid, key),
            host=setting(environ, f"{prefix}HOST", checked_host) or DEFAULT_HOST,
            dummy=setting(environ, f"{prefix}DUMMY", _switch) or False,
            notification_url=setting(
                environ, f"{prefix}NOTIFICATION_URL", _checked_notification_url
            ),
        )

    def request(self, call: Call) -> Request:
        """Make the bytes that carry out `call`; the same call gives the same bytes.

        The wire has no idempotency key: the transaction id with the command is what a
        resend has in common with the first request.

        Raises:
            InvalidInput: the gateway knows no such command, or cannot be sent one of
                its parameters.

        """
        members = members_of(call, self._defaults, dummy=self.dummy)
        return Request(
            method="POST",
            url=self._urls[call.command],
            headers=HEADERS,
            body=self._envelope.seal(members),
        )

    def evidence(self, call: Call, reply: Reply | Failure) -> Evidence:
        """What came of `call`; UNKNOWN where the reply cannot be understood."""
        if call.command == INQUIRY:
            return inquired(call, reply)
        return answer(call, reply)

    def notification(
        self, headers: Mapping[str, str], body: bytes
    ) -> tuple[Evidence, ...]:
        """What a notification states, one piece of evidence an item.

        Raises:
            NotificationRefused: it is not the gateway's, not for this merchant, not
                well-formed, or of a test where payments are live (or the reverse).

        """
        notifications.verify(self.credentials, headers, body)
        return notifications.read(body, dummy=self.dummy)
