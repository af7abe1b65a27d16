"""The secret key that opens PAY.JP's API, and the token that its webhooks bear.

This module owns what both look like, and that they stay out of every text.
"""

import re

import attrs

from kessai_adapters.settings import Unpicklable, matching

_KEY = re.compile(r"sk_(?:test|live)_[A-Za-z0-9]{8,128}")
_TOKEN = re.compile(r"[!-~]{8,255}")


def checked_key(value: object) -> str:
    """Return `value` if it can be a secret key: `sk_test_…` or `sk_live_…`.

    Raises:
        InvalidInput: it cannot; the message does not show it.

    """
    return matching(
        value,
        _KEY,
        "the key must be a secret key: sk_test_ or sk_live_, then letters and digits",
    )


def checked_token(value: object) -> str | None:
    """Return `value` if it can be a webhook token, or is None.

    Raises:
        InvalidInput: it cannot; the message does not show it.

    """
    if value is None:
        return None
    return matching(
        value, _TOKEN, "the webhook token must be 8 to 255 visible ASCII characters"
    )


@attrs.frozen
class Credentials(Unpicklable):
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

    @property
    def live(self) -> bool:
        """Whether the key moves real money."""
        return self.secret_key.startswith("sk_live_")
