"""The adapter itself: settings, checked once, in front of the pure functions."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

import attrs

from kessai.gateway import (
    INQUIRY,
    Adapter,
    Call,
    Exchange,
    Notification,
    Reception,
)
from kessai_adapters.settings import (
    checked_host,
    environment_of,
    matching,
    required,
    setting,
)
from kessai_adapters.stated import members_of, says
from kessai_adapters.stripe.credentials import (
    StripeCredentials,
    checked_api_key,
    checked_secrets,
)
from kessai_adapters.stripe.inquiry import KEYS_LAST, inquire
from kessai_adapters.stripe.intents import Intent
from kessai_adapters.stripe.replies import answer, unknown
from kessai_adapters.stripe.requests import INTENT, request_of
from kessai_adapters.stripe.webhooks import read, verify
from kessai_adapters.stripe.wire import Api

DEFAULT_HOST = "https://api.stripe.com"

_ACCOUNT = re.compile(r"acct_[A-Za-z0-9]{1,64}")


def checked_account(value: object) -> str:
    """Return `value` if it can be the id of an account at Stripe.

    Raises:
        InvalidInput: it cannot.

    """
    return matching(value, _ACCOUNT, "the account must be Stripe's id of it, acct_…")


def _account_of(adapter: "Stripe") -> str:
    kind = environment_of(adapter.host, live=adapter.credentials.is_live)
    return f"{adapter.name}/{adapter.merchant}/{kind}"


def _api_of(adapter: "Stripe") -> Api:
    return Api(adapter.host, adapter.credentials)


@attrs.frozen
class Stripe(Adapter):
    """Card payments through Stripe.

    `merchant` is Stripe's id of the account: a key is rolled now and then, and the
    payments stay the account's. `host` is where Stripe is: https, or http on loopback
    for its stand-in. Whether payments are live, the key says.

    Raises:
        InvalidInput: a setting is not well-formed; the message never shows its value.

    """

    # Fields are as good as the properties of the protocol; pyright wants the same kind.
    name: ClassVar[str] = "stripe"  # pyright: ignore[reportIncompatibleMethodOverride]
    replays: ClassVar[timedelta] = KEYS_LAST  # pyright: ignore[reportIncompatibleMethodOverride]

    credentials: StripeCredentials = attrs.field(repr=False)
    merchant: str = attrs.field(converter=checked_account)
    host: str = attrs.field(default=DEFAULT_HOST, converter=checked_host, kw_only=True)
    account: str = attrs.field(  # pyright: ignore[reportIncompatibleMethodOverride]
        kw_only=True, default=attrs.Factory(_account_of, takes_self=True)
    )
    _api: Api = attrs.field(
        init=False,
        repr=False,
        eq=False,
        default=attrs.Factory(_api_of, takes_self=True),
    )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Stripe":
        """Make the adapter that `KESSAI_STRIPE_…` variables describe.

        `KEY` and `ACCOUNT` are required. Without `WEBHOOK_SECRET` no webhook is
        accepted; while it is rolled it holds both, with a comma in between. `HOST` has
        the default of the class; an empty variable is an unset one.

        Raises:
            InvalidInput: a variable is missing or not well-formed; the message names
                it and never shows its value.

        """
        prefix = "KESSAI_STRIPE_"
        key, account = required(
            environ,
            {f"{prefix}KEY": checked_api_key, f"{prefix}ACCOUNT": checked_account},
        )
        secrets = setting(environ, f"{prefix}WEBHOOK_SECRET", checked_secrets)
        return cls(
            StripeCredentials(key, secrets or ()),
            account,
            host=setting(environ, f"{prefix}HOST", checked_host) or DEFAULT_HOST,
        )

    def exchange(self, call: Call) -> Exchange:
        """See `Adapter.exchange`: one request a command, at most a few an inquiry.

        Raises:
            InvalidInput: Stripe has no such command, or cannot be sent one of its
                parameters.

        """
        if call.command == INQUIRY:
            return inquire(self._api, call)
        return self._command(call)

    def _command(self, call: Call) -> Exchange:
        return answer(call, (yield request_of(self._api, call)))

    def page(self, call: Call) -> Exchange:
        """See `Adapter.page`: the intent is read, or made under the same key again."""
        if INTENT not in call.references:
            return (yield from self._command(call))
        reply = yield self._api.get(f"payment_intents/{call.references[INTENT]}")
        stated = members_of(getattr(reply, "body", b""))
        intent = Intent(stated, call)
        if not intent.id:
            return unknown(call, "no_page")
        return says(call, intent.opened, disclosed=intent.disclosed)

    def received(self, notification: Notification) -> Reception:
        """See `Adapter.received`.

        Raises:
            NotificationRefused: it is not Stripe's, was signed more than five minutes
                before or after its arrival, is not well-formed, or is of a test where
                payments are live (or the reverse).

        """
        secrets = self.credentials.webhook_secrets
        verify(secrets, notification.headers, notification.body, notification.at)
        return (yield from read(self._api, notification))
