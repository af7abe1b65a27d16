"""Notifications: envelopes of Amazon's notification service, which say what has changed.

An envelope is signed by a certificate that is fetched, from the hosts of the service
alone. Anybody can have that service sign an envelope, from a topic of their own. So an
envelope moves nothing: it is a reason to ask Amazon Pay, and of this merchant only.
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from datetime import datetime
from typing import Never
from urllib.parse import urlsplit

import attrs

from kessai.errors import NotificationRefused
from kessai.gateway import Failure, Mention, Notification, Reception, Request
from kessai_adapters.amazon_pay.exchanges import CHARGE, PERMISSION, AmazonCalls
from kessai_adapters.amazon_pay.values import read_id, stated_in
from kessai_adapters.stated import Members, members_of

_SERVICE = re.compile(r"sns\.[a-z0-9-]{3,30}\.amazonaws\.com(?:\.cn)?")
_SIGNED = (
    *("Message", "MessageId", "Subject", "SubscribeURL"),
    *("Timestamp", "Token", "TopicArn", "Type"),
)
_LARGEST = 262_144
_OK = 200


@attrs.frozen
class EnvelopeReader:
    """Reads the envelopes for one merchant.

    `topic` is the topic that is subscribed to, if it is said. `stand_in` is where a
    stand-in on loopback is, whose certificate counts; None for Amazon's own.
    """

    calls: AmazonCalls
    merchant_id: str
    topic: str | None = None
    stand_in: str | None = None

    def received(self, notification: Notification) -> Reception:
        """What an envelope mentions; it fetches the certificate, and what it must know."""
        envelope = _texts(notification.body)
        if self.topic is not None and envelope.get("TopicArn") != self.topic:
            _refuse("it is of another topic")
        url = envelope.get("SigningCertURL") or envelope.get("SigningCertUrl") or ""
        self._check_url(url, "SigningCertURL", suffix=".pem")
        reply = yield Request(method="GET", url=url)
        if isinstance(reply, Failure) or reply.status != _OK:
            _refuse("its certificate was not to be had")
        _verify(envelope, reply.body, notification.at)
        match envelope.get("Type"):
            case "Notification":
                return (yield from self._mentioned(members_of(_message(envelope))))
            case "SubscriptionConfirmation":
                yield self._confirmation(envelope)
                return ()
            case _:
                return ()

    def _mentioned(self, stated: Members) -> Reception:
        if stated.get("MerchantID") != self.merchant_id:
            _refuse("it is for another merchant")
        kind, id_ = stated.get("ObjectType"), read_id(stated.get("ObjectId"))
        if kind == "CHARGE" and id_:
            return (Mention(CHARGE, id_),)
        if kind == "REFUND" and id_:
            reply = yield self.calls.get(f"refunds/{id_}")
            if charge := read_id(stated_in(reply).get("chargeId")):
                return (Mention(CHARGE, charge),)
        # Of a chargeback nothing can be asked; of a refund without an answer, no more.
        if permission := read_id(stated.get("ChargePermissionId")):
            return (Mention(PERMISSION, permission),)
        _refuse("it names nothing that can be asked about")

    def _confirmation(self, envelope: Mapping[str, str]) -> Request:
        """The visit that confirms a subscription: of the topic that was said, no other."""
        if self.topic is None:
            _refuse("a subscription is only confirmed where the topic is configured")
        url = envelope.get("SubscribeURL", "")
        self._check_url(url, "SubscribeURL")
        return Request(method="GET", url=url)

    def _check_url(self, url: str, name: str, *, suffix: str = "") -> None:
        """See that `url` is of the notification service."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            _refuse(f"its {name} is no address")
        plain = not parts.username and not parts.fragment and url.isascii()
        is_service = (
            parts.scheme == "https"
            and port in {None, 443}
            and _SERVICE.fullmatch(host) is not None
        )
        is_local = self.stand_in is not None and url.startswith(f"{self.stand_in}/")
        if not plain or not parts.path.endswith(suffix) or not (is_service or is_local):
            _refuse(f"its {name} is not of the notification service")


def _refuse(why: str) -> Never:
    message = f"notification refused: {why}"
    raise NotificationRefused(message)


def _texts(body: bytes) -> Mapping[str, str]:
    """The members of an envelope, which are texts."""
    if len(body) > _LARGEST:
        _refuse("it is too large")
    members = members_of(body)
    if not members or not all(isinstance(value, str) for value in members.values()):
        _refuse("it is no envelope of the notification service")
    return members


def _message(envelope: Mapping[str, str]) -> bytes:
    return envelope.get("Message", "").encode(errors="replace")


def _verify(envelope: Mapping[str, str], pem: bytes, at: datetime) -> None:
    """Check the signature over all that is signed, by a certificate that is valid `at`."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256

    # Version 1 is the service's default; what it signs is read again from Amazon Pay.
    hashes = {"1": SHA1(), "2": SHA256()}  # noqa: S303
    hashed = hashes.get(envelope.get("SignatureVersion", ""))
    if hashed is None:
        _refuse("its SignatureVersion is neither 1 nor 2")
    text = "".join(f"{n}\n{envelope[n]}\n" for n in _SIGNED if n in envelope)
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key = certificate.public_key()
        signature = b64decode(envelope.get("Signature", ""), validate=True)
        signed = text.encode()
    except (ValueError, TypeError, NotBase64):
        _refuse("its signature or its certificate cannot be read")
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not isinstance(key, RSAPublicKey) or not begins <= at <= ends:
        _refuse("its certificate is not valid")
    try:
        key.verify(signature, signed, PKCS1v15(), hashed)
    except InvalidSignature:
        _refuse("its signature is not the service's")
