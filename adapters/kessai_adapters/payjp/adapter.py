"""The adapter itself: settings, checked once, and an exchange for each command."""

import re
from collections.abc import Callable, Mapping
from typing import ClassVar

import attrs

from kessai.gateway import (
    INQUIRY,
    Adapter,
    Call,
    Evidence,
    Exchange,
    Failure,
    Notification,
    Outcome,
    Reception,
    Reply,
)
from kessai_adapters.carried import check_carried, wrong
from kessai_adapters.payjp import notification as notifications
from kessai_adapters.payjp import replies, requests
from kessai_adapters.payjp.credentials import (
    Credentials,
    checked_key,
    checked_token,
)
from kessai_adapters.payjp.inquiry import inquired
from kessai_adapters.payjp.requests import FLOW, METHOD, SETUP, Sender, known
from kessai_adapters.settings import (
    checked_host,
    environment_of,
    matching,
    required,
    setting,
)
from kessai_adapters.stated import Members, says

DEFAULT_HOST = "https://api.pay.jp"

_MERCHANT = re.compile(r"[A-Za-z0-9_-]{1,64}")

_Maker = Callable[[Call], Members]
_Reader = Callable[[Call, Members], Evidence]

_CHANGES: Mapping[str, tuple[str, str, _Maker, _Reader]] = {
    "capture": (FLOW, "capture", requests.capture, replies.captured),
    "cancel": (FLOW, "cancel", requests.cancel, replies.cancelled),
    "terminate": (METHOD, "detach", lambda _: {}, replies.terminated),
}
"""What changes an object: which one, its path's end, what is sent, what it says."""


def _checked_merchant(value: object) -> str:
    return matching(
        value, _MERCHANT, "the merchant must be 1 to 64 letters, digits, - and _"
    )


def _account_of(adapter: "PayJp") -> str:
    kind = environment_of(adapter.host, live=adapter.credentials.live)
    return f"{adapter.name}/{adapter.merchant}/{kind}"


def _sender_of(adapter: "PayJp") -> Sender:
    return Sender(adapter.credentials, adapter.host)


@attrs.frozen
class PayJp(Adapter):
    """PAY.JP, API v2: payment flows by card, Apple Pay and PayPay, in yen.

    `merchant` is the shop's own name for its PAY.JP account: keys change, and payments
    must stay with their account. `host` is where the gateway is: https, or http on
    loopback for its stand-in. `account` is whose payments these are. The gateway's key
    says whether payments are live.

    It does not repeat answers for a promised time: the pages do not say how long a key
    is known. So `replays` is None.

    Raises:
        InvalidInput: a setting is not well-formed; the message never shows its value.

    """

    name: ClassVar[str] = "payjp"  # pyright: ignore[reportIncompatibleMethodOverride]

    credentials: Credentials = attrs.field(repr=False)
    merchant: str = attrs.field(converter=_checked_merchant)
    host: str = attrs.field(default=DEFAULT_HOST, converter=checked_host, kw_only=True)
    account: str = attrs.field(  # pyright: ignore[reportIncompatibleMethodOverride]
        kw_only=True, default=attrs.Factory(_account_of, takes_self=True)
    )
    _sender: Sender = attrs.field(
        init=False,
        repr=False,
        eq=False,
        default=attrs.Factory(_sender_of, takes_self=True),
    )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "PayJp":
        """Make the adapter that `KESSAI_PAYJP_…` variables describe.

        `KEY` and `MERCHANT` are required. Without `WEBHOOK_TOKEN` every notification is
        refused. `HOST` has the default of the class; an empty variable is an unset one.

        Raises:
            InvalidInput: a variable is missing or not well-formed; the message names
                it and never shows its value.

        """
        prefix = "KESSAI_PAYJP_"
        needed = {f"{prefix}KEY": checked_key, f"{prefix}MERCHANT": _checked_merchant}
        key, merchant = map(str, required(environ, needed))
        token = setting(environ, f"{prefix}WEBHOOK_TOKEN", checked_token)
        return cls(
            Credentials(key, token),
            merchant,
            host=setting(environ, f"{prefix}HOST", checked_host) or DEFAULT_HOST,
        )

    def exchange(self, call: Call) -> Exchange:
        """Carry out `call`.

        Raises:
            InvalidInput: PAY.JP has no such command, or cannot be sent one of its
                parameters.

        """
        if call.resumed is not None:
            raise wrong(call, "nothing that a consumer brings back is sent on")
        if call.command == INQUIRY:
            return inquired(call, self._sender, live=self.credentials.live)
        check_carried(call, requests.CARRIED, "PAY.JP")
        if call.command in _CHANGES:
            return self._change(call)
        match call.command:
            case "authorize":
                return self._authorize(call)
            case "refund":
                return self._refund(call)
            case _:
                return self._set_up(call)

    def page(self, call: Call) -> Exchange:
        """Read the flow once more: it has what the consumer needs to go on."""
        kind = SETUP if "consent" in call.tracks else FLOW
        reply = yield self._sender.get(f"{kind}s/{known(call, kind)}")
        stated = self._object(reply, kind)
        if stated is None or stated.get("id") != call.references[kind]:
            return replies.unknown(call)
        if kind == SETUP:
            return replies.set_up(call, stated)
        here = requests.is_confirmed_here(call)
        return replies.opened(call, stated, confirmed=here)

    def received(self, notification: Notification) -> Reception:
        """Which object a webhook is about; nothing else in it is believed.

        Raises:
            NotificationRefused: its sender does not know the account's token, or it is
                no event of this account's mode.

        """
        token = self.credentials.webhook_token
        notifications.verify(token, notification.headers, notification.body)
        yield from ()
        return notifications.mentioned(notification.body, live=self.credentials.live)

    def _authorize(self, call: Call) -> Exchange:
        """Make a flow; then confirm it, where the payment method is known here.

        In two requests, so that the flow's id is known whatever comes of the payment.
        """
        here = requests.is_confirmed_here(call)
        members = requests.create_flow(call)
        reply = yield self._sender.post(call, "payment_flows", members, "create")
        stated = self._object(reply, FLOW)
        if stated is None:
            return replies.no_object(call, reply)
        if not _is_asked_for(call, stated):
            return replies.unknown(call)
        if not here:
            return replies.opened(call, stated, confirmed=False)
        return (yield from self._confirm(call, stated["id"]))

    def _confirm(self, call: Call, flow: str) -> Exchange:
        path, references = f"payment_flows/{flow}/confirm", {FLOW: flow}
        reply = yield self._sender.post(
            call, path, requests.confirm_flow(call), "confirm"
        )
        if isinstance(reply, Failure):
            return says(call, Outcome.UNKNOWN, references=references)
        stated = self._object(reply, FLOW)
        if stated is None:
            return attrs.evolve(replies.no_object(call, reply), references=references)
        if stated.get("id") != flow or not _is_asked_for(call, stated):
            return replies.unknown(call, references=references)
        return replies.opened(call, stated, confirmed=True)

    def _change(self, call: Call) -> Exchange:
        kind, act, make, read = _CHANGES[call.command]
        id_ = known(call, kind)
        reply = yield self._sender.post(call, f"{kind}s/{id_}/{act}", make(call))
        stated = self._object(reply, kind)
        if stated is None:
            return replies.no_object(call, reply)
        is_ours = kind == METHOD or replies.is_of(call, stated)
        if stated.get("id") != id_ or not is_ours:
            return replies.unknown(call)
        return read(call, stated)

    def _refund(self, call: Call) -> Exchange:
        members = requests.refund(call)
        reply = yield self._sender.post(call, "payment_refunds", members)
        stated = self._object(reply, "payment_refund")
        if stated is None:
            return replies.no_object(call, reply)
        same_flow = stated.get("payment_flow_id") == call.references[FLOW]
        if not same_flow or not replies.is_made_by(call, stated):
            return replies.unknown(call)
        return replies.refunded(call, stated)

    def _set_up(self, call: Call) -> Exchange:
        members = requests.create_setup(call)
        reply = yield self._sender.post(call, "setup_flows", members)
        stated = self._object(reply, SETUP)
        if stated is None:
            return replies.no_object(call, reply)
        if not replies.is_made_by(call, stated):
            return replies.unknown(call)
        return replies.set_up(call, stated)

    def _object(self, reply: Reply | Failure, kind: str) -> Members | None:
        return replies.read_object(reply, kind, live=self.credentials.live)


def _is_asked_for(call: Call, stated: Members) -> bool:
    """Whether a flow is the one that `call` asked for."""
    amount, currency = stated.get("amount"), stated.get("currency")
    return replies.is_made_by(call, stated) and (amount, currency) == (
        call.amount,
        "jpy",
    )
