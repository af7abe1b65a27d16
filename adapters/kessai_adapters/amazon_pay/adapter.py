"""The adapter itself: settings, checked once, in front of the exchanges."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

import attrs

from kessai.errors import InvalidInput
from kessai.gateway import (
    INQUIRY,
    Adapter,
    Call,
    Exchange,
    Notification,
    Reception,
    Request,
)
from kessai_adapters.amazon_pay.credentials import (
    AmazonCredentials,
    checked_key_id,
    checked_name,
    checked_private_key,
)
from kessai_adapters.amazon_pay.exchanges import AmazonCalls, carried
from kessai_adapters.amazon_pay.inquiry import inquire
from kessai_adapters.amazon_pay.notification import EnvelopeReader
from kessai_adapters.amazon_pay.signing import NEWEST, SALT_BYTES, Signer
from kessai_adapters.carried import check_carried
from kessai_adapters.settings import checked_host, is_stand_in, required, setting

HOSTS = {
    "eu": "https://pay-api.amazon.eu",
    "jp": "https://pay-api.amazon.jp",
    "na": "https://pay-api.amazon.com",
}
"""Where the API is, by region."""

FOR_EVER = timedelta(days=36_500)
"""Amazon stores idempotency keys indefinitely; times of more than a century overflow."""

_PREFIX = "KESSAI_AMAZON_PAY_"
_TOPIC = re.compile(
    r"arn:aws[a-z-]*:sns:[a-z0-9-]{3,30}:[0-9]{12}:[A-Za-z0-9_-]{1,256}"
)
_ENVIRONMENTS = ("live", "sandbox")

_COMMANDS: Mapping[str, Callable[[AmazonCalls, Call], Exchange]] = {
    "authorize": AmazonCalls.authorize,
    "create_charge": AmazonCalls.create_charge,
    "capture": AmazonCalls.capture,
    "cancel": AmazonCalls.cancel,
    "refund": AmazonCalls.refund,
    "update_consent": AmazonCalls.update_consent,
    "terminate": AmazonCalls.terminate,
}


def _one_of(allowed: tuple[str, ...], what: str, value: object) -> str:
    if isinstance(value, str) and value in allowed:
        return value
    message = f"{what} must be one of {', '.join(allowed)}"
    raise InvalidInput(message)


def _checked_region(value: object) -> str:
    return _one_of(tuple(HOSTS), "the region", value)


def _checked_algorithm(value: object) -> str:
    return _one_of(tuple(SALT_BYTES), "the algorithm", value)


def _checked_environment(value: object) -> str | None:
    return None if value is None else _one_of(_ENVIRONMENTS, "the environment", value)


def _checked_topic(value: object) -> str | None:
    if value is None or (isinstance(value, str) and _TOPIC.fullmatch(value)):
        return value
    message = "the topic must be arn:aws:sns:<region>:<12 digits>:<name>"
    raise InvalidInput(message)


def _host_of(adapter: "AmazonPay") -> str:
    return HOSTS[adapter.region]


def _environment_of(adapter: "AmazonPay") -> str:
    """The environment of the key, which must be the one that is said, if one is."""
    of_key, said = adapter.credentials.environment, adapter.said_environment
    if of_key and said and of_key != said:
        message = f"the public key is one for {of_key}, and the environment is {said}"
        raise InvalidInput(message)
    found = of_key or said
    if found is None:
        message = "the environment must be said: the id of the public key names none"
        raise InvalidInput(message)
    return found


def _account_of(adapter: "AmazonPay") -> str:
    """The adapter, the merchant, the region and the environment.

    What is on loopback is a stand-in, which knows nothing of what Amazon holds.
    """
    kind = "emulator" if is_stand_in(adapter.host) else adapter.environment
    return f"{adapter.name}/{adapter.credentials.merchant_id}/{adapter.region}-{kind}"


def _calls_of(adapter: "AmazonPay") -> AmazonCalls:
    """An older key, whose id names no environment, has that in the path."""
    is_named = adapter.credentials.environment is not None
    path = "v2" if is_named else f"{adapter.environment}/v2"
    return AmazonCalls(f"{adapter.host}/{path}", adapter.credentials.store_id)


def _signer_of(adapter: "AmazonPay") -> Signer:
    known = adapter.credentials
    return Signer(
        known.private_key, known.public_key_id, adapter.algorithm, adapter.region
    )


def _reader_of(adapter: "AmazonPay") -> EnvelopeReader:
    stand_in = adapter.host if is_stand_in(adapter.host) else None
    merchant_id = adapter.credentials.merchant_id
    return EnvelopeReader(adapter.calls, merchant_id, adapter.topic, stand_in)


@attrs.frozen(eq=False)
class AmazonPay(Adapter):
    """Amazon Pay itself, API version 2.

    `region` is `na`, `eu` or `jp`. `said_environment` is `live` or `sandbox`, where the
    id of the public key does not begin with it. `host` is another one than the region's:
    https, or http on loopback for a stand-in. `topic` is the topic of notifications,
    where subscriptions are to be confirmed and no other topic is taken. `account` is
    whose payments these are.

    Raises:
        InvalidInput: a setting is not well-formed; the message never shows its value.

    """

    # Fields are as good as the properties of the protocol; pyright wants the same kind.
    name: ClassVar[str] = "amazon_pay"  # pyright: ignore[reportIncompatibleMethodOverride]

    credentials: AmazonCredentials = attrs.field(repr=False)
    region: str = attrs.field(converter=_checked_region, kw_only=True)
    said_environment: str | None = attrs.field(
        default=None, converter=_checked_environment, kw_only=True, repr=False
    )
    host: str = attrs.field(
        default=attrs.Factory(_host_of, takes_self=True),
        converter=checked_host,
        kw_only=True,
    )
    algorithm: str = attrs.field(
        default=NEWEST, converter=_checked_algorithm, kw_only=True
    )
    topic: str | None = attrs.field(
        default=None, converter=_checked_topic, kw_only=True
    )
    environment: str = attrs.field(
        init=False, default=attrs.Factory(_environment_of, takes_self=True)
    )
    account: str = attrs.field(  # pyright: ignore[reportIncompatibleMethodOverride]
        kw_only=True, default=attrs.Factory(_account_of, takes_self=True)
    )
    calls: AmazonCalls = attrs.field(
        init=False, repr=False, default=attrs.Factory(_calls_of, takes_self=True)
    )
    _signer: Signer = attrs.field(
        init=False, repr=False, default=attrs.Factory(_signer_of, takes_self=True)
    )
    _reader: EnvelopeReader = attrs.field(
        init=False, repr=False, default=attrs.Factory(_reader_of, takes_self=True)
    )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "AmazonPay":
        """Make the adapter that `KESSAI_AMAZON_PAY_…` variables describe.

        `MERCHANT_ID`, `STORE_ID`, `KEY_ID`, `KEY` (the private key as PEM) and `REGION`
        are required. `ENVIRONMENT`, `HOST`, `ALGORITHM` and `TOPIC` have the defaults of
        the class; an empty variable is an unset one.

        Raises:
            InvalidInput: a variable is missing or not well-formed; the message names
                it and never shows its value.

        """
        merchant, store, key_id, _, region = required(
            environ,
            {
                f"{_PREFIX}MERCHANT_ID": checked_name,
                f"{_PREFIX}STORE_ID": checked_name,
                f"{_PREFIX}KEY_ID": checked_key_id,
                f"{_PREFIX}KEY": checked_private_key,
                f"{_PREFIX}REGION": _checked_region,
            },
        )
        key = environ[f"{_PREFIX}KEY"]
        optional = {
            "host": setting(environ, f"{_PREFIX}HOST", checked_host),
            "algorithm": setting(environ, f"{_PREFIX}ALGORITHM", _checked_algorithm),
            "topic": setting(environ, f"{_PREFIX}TOPIC", _checked_topic),
            "said_environment": setting(
                environ, f"{_PREFIX}ENVIRONMENT", _checked_environment
            ),
        }
        given: dict[str, Any] = {
            name: value for name, value in optional.items() if value
        }
        credentials = AmazonCredentials(merchant, store, key_id, key)
        return cls(credentials, region=region, **given)

    @property
    def replays(self) -> timedelta:
        """For ever: Amazon stores the keys indefinitely."""
        return FOR_EVER

    @property
    def totals_lag(self) -> frozenset[str]:
        """Captures after seven days and all refunds: they show once they have ended."""
        return frozenset({"capture", "refund"})

    def exchange(self, call: Call) -> Exchange:
        """Carry out `call`: see `kessai.gateway.Adapter.exchange`."""
        if call.command == INQUIRY:
            return inquire(self.calls, call)
        check_carried(call, carried(call), "Amazon Pay")
        if call.resumed is not None:
            return self.calls.complete(call)
        return _COMMANDS[call.command](self.calls, call)

    def page(self, call: Call) -> Exchange:
        """Ask once more for the page of a session: see `kessai.gateway.Adapter.page`."""
        if call.command != "authorize":
            message = f"{call.command}: sends no buyer to a page"
            raise InvalidInput(message)
        return self.calls.page(call)

    def seal(self, request: Request, at: datetime, nonce: bytes) -> Request:
        """Sign what is for the API; a certificate is fetched without a signature."""
        if not request.url.startswith(f"{self.calls.root}/"):
            return request
        return self._signer.sealed(request, at, nonce)

    def received(self, notification: Notification) -> Reception:
        """What an envelope mentions: see `kessai.gateway.Adapter.received`."""
        return self._reader.received(notification)
