"""Signatures of Standard Webhooks (standardwebhooks.com): made, and held to.

A signature is HMAC-SHA256 over `id.timestamp.body`. While a secret is exchanged for
another, there are two: what is sent is signed with both, and a receiver that has either
believes it.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import attrs

from kessai.errors import InvalidInput, NotificationRefused
from kessai.limits import WEBHOOK_AGE

_PREFIX = "whsec_"
_FEWEST_BYTES, _MOST_BYTES = 24, 64


@attrs.frozen
class WebhookSecret:
    """A key of 24 to 64 bytes, as text `whsec_` and base64. No repr shows it."""

    key: bytes = attrs.field(repr=False)

    @classmethod
    def read(cls, text: str) -> "WebhookSecret":
        """The secret that `text` is.

        Raises:
            InvalidInput: it is none; the message does not quote it.

        """
        try:
            key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not text.startswith(_PREFIX) or not _FEWEST_BYTES <= len(key) <= _MOST_BYTES:
            message = (
                f"webhook secret: not {_PREFIX} and the base64 of {_FEWEST_BYTES} to"
                f" {_MOST_BYTES} bytes"
            )
            raise InvalidInput(message)
        return cls(key)

    def sign(self, webhook_id: str, timestamp: int, body: bytes) -> str:
        """`v1,` and the signature, in base64."""
        signed = b"%s.%d.%s" % (webhook_id.encode(), timestamp, body)
        digest = hmac.digest(self.key, signed, hashlib.sha256)
        return f"v1,{base64.b64encode(digest).decode()}"


def read_secrets(text: str) -> tuple[WebhookSecret, ...]:
    """The secrets in `text`, one or two, with white space between them.

    Raises:
        InvalidInput: there are none, or more, or one of them is none.

    """
    found = text.split()
    if not 1 <= len(found) <= 2:  # noqa: PLR2004 - the old one and the new one
        message = f"webhook secret: {len(found)} are given; one is right, or two"
        raise InvalidInput(message)
    return tuple(map(WebhookSecret.read, found))


def signed_headers(
    secrets: Iterable[WebhookSecret], webhook_id: str, at: datetime, body: bytes
) -> tuple[tuple[str, str], ...]:
    """The three headers of a webhook that is sent at the time `at`."""
    timestamp = int(at.timestamp())
    signatures = [secret.sign(webhook_id, timestamp, body) for secret in secrets]
    return (
        ("webhook-id", webhook_id),
        ("webhook-timestamp", str(timestamp)),
        ("webhook-signature", " ".join(signatures)),
    )


def check_webhook(
    secrets: Iterable[WebhookSecret],
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
    tolerance: timedelta = WEBHOOK_AGE,
) -> str:
    """The id of a webhook that was received, if it is kessai's; for receivers.

    An id that was seen before is a repetition. Compares in constant time.

    Raises:
        NotificationRefused: no signature is by any of the `secrets`, or it was sent
            longer than `tolerance` ago, or that much later than `now`.

    """
    given = {name.lower(): value for name, value in headers.items()}
    webhook_id, sent = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not re.fullmatch("[0-9]{1,12}", sent):
        message = "webhook refused: its timestamp is missing or malformed"
        raise NotificationRefused(message)
    right = [secret.sign(webhook_id, int(sent), body).encode() for secret in secrets]
    offered = given.get("webhook-signature", "").encode().split()
    matches = [hmac.compare_digest(r, o) for r in right for o in offered]
    if not any(matches):
        message = "webhook refused: no signature is by a secret that is known here"
        raise NotificationRefused(message)
    if abs(now.timestamp() - int(sent)) > tolerance.total_seconds():
        message = "webhook refused: it was sent too long ago, or the clocks differ"
        raise NotificationRefused(message)
    return webhook_id
