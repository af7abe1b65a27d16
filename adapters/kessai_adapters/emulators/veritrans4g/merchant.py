"""Who the merchant is, and everything that is signed with the merchant's key.

The three signatures of the protocol stand here side by side: `authHash` over a request,
`Content-Hmac` over a notification, `vAuthInfo` over a redirect.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import attrs

DEFAULT_CCID: Final = "A100000000000000000000cc"
"""A made-up merchant."""

DEFAULT_KEY: Final = hashlib.sha256(b"a made-up key for a made-up merchant").hexdigest()
"""The made-up merchant's made-up key, 64 hex digits."""

_KEY: Final = re.compile(r"[0-9a-fA-F]{64}")
# What base64 uses and a query would not carry unharmed.
_AUTH_PARAMS_LETTERS: Final = str.maketrans({"=": "*", "/": "-", "+": "_"})


def _key_is_hex(_owner: object, _field: object, value: str) -> None:
    if not _KEY.fullmatch(value):
        message = "the secret key must be 64 hex digits"
        raise ValueError(message)


@attrs.frozen(kw_only=True)
class Merchant:
    """A merchant's id and secret key; the key is never shown."""

    ccid: str
    secret_key: str = attrs.field(repr=False, validator=_key_is_hex)

    def knows(self, params_text: str, auth_hash: str) -> bool:
        """Return whether `authHash` fits the exact text of `params`, in constant time."""
        text = f"{self.ccid}{params_text}{self.secret_key}"
        expected = hashlib.sha256(text.encode()).hexdigest()
        return hmac.compare_digest(expected.encode(), auth_hash.encode())

    def content_hmac(self, body: bytes) -> str:
        """Return the `Content-Hmac` header for a notification's raw body."""
        key = bytes.fromhex(self.secret_key)
        value = hmac.new(key, body, hashlib.sha256).hexdigest()
        return f"h=HmacSHA256;s={self.ccid};v={value}"

    def redirect(self, url: str, values: Mapping[str, str]) -> str:
        """Return `url` with `values`, `authParams` and `vAuthInfo` in its query."""
        text = f"{self.ccid}{''.join(values.values())}{self.secret_key}"
        names = base64.b64encode(",".join(values).encode()).decode()
        added = {
            **values,
            "authParams": names.translate(_AUTH_PARAMS_LETTERS),
            "vAuthInfo": hashlib.sha256(text.encode()).hexdigest(),
        }
        parts = urlsplit(url)
        # A name given twice would leave open which of the two was signed.
        kept = [
            (name, value)
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
            if name not in added
        ]
        query = urlencode([*kept, *added.items()])
        return urlunsplit(parts._replace(query=query))

    def session(self, order_id: str) -> str:
        """Return the checkout session's id: nobody can guess it, a restart keeps it."""
        key = bytes.fromhex(self.secret_key)
        text = f"checkout-session:{order_id}".encode()
        return hmac.new(key, text, hashlib.sha256).hexdigest()[:32]
