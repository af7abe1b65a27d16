"""The secret key that opens PAY.JP's API, and the token that its webhooks bear.

This module owns what both look like, and that they stay out of every text.
"""

import re
from typing import Never

import attrs

from kessai.errors import InvalidInput

_KEY = re.compile(r"sk_(?:test|live)_[A-Za-z0-9]{8,128}")
_TOKEN = re.compile(r"[!-~]{8,255}")


def checked_key(value: object) -> str:
    """Return `value` if it can be a secret key: `sk_test_…` or `sk_live_…`.

    Raises:
        InvalidInput: it cannot; the message does not show it.

    """
    if not isinstance(value, str) or not _KEY.fullmatch(value):
        message = "the key must be a secret key: sk_test_ or sk_live_, then letters and digits"
        raise InvalidInput(message)
    return value


def checked_token(value: object) -> str | None:
    """Return `value` if it can be a webhook token, or is None.

    Raises:
        InvalidInput: it cannot; the message does not show it.

    """
    if value is None:
        return None
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        message = "the webhook token must be 8 to 255 visible ASCII characters"
        raise InvalidInput(message)
    return value


@attrs.frozen
class Credentials:
    """The account's secret key and, where webhooks are received, its webhook token.

    Neither is in a repr, and the whole cannot be pickled: a task queue or a cache
    would write it to disk.

    Raises:
        InvalidInput: one of the two is not well-formed.

    """

    secret_key: str = attrs.field(converter=checked_key, repr=False)
    webhook_token: str | None = attrs.field(
        default=None, converter=checked_token, repr=False
    )

    # `typing.override` comes with Python 3.12.
    def __reduce_ex__(self, _protocol: object) -> Never:
        message = "credentials are never pickled or copied"
        raise TypeError(message)

    @property
    def live(self) -> bool:
        """Whether the key moves real money."""
        return self.secret_key.startswith("sk_live_")
