"""What proves to Stripe who asks, and to us that a webhook is Stripe's.

It owns what the two look like, and that neither is in any text. It knows no message.
"""

import re
from typing import cast

import attrs

from kessai.errors import InvalidInput
from kessai_adapters.settings import Unpicklable, matching

_API_KEY = re.compile(r"(?:sk|rk)_(test|live)_[A-Za-z0-9_]{8,255}")
_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=_-]{8,255}")
_MOST_SECRETS = 2
"""While a secret is rolled, there is the old one and the new one."""


def checked_api_key(value: object) -> str:
    """Return `value` if it can be a secret or a restricted key.

    Raises:
        InvalidInput: it cannot; the message does not show it.

    """
    return matching(
        value,
        _API_KEY,
        "the API key must be sk_test_…, sk_live_…, rk_test_… or rk_live_…",
    )


def checked_secrets(value: object) -> tuple[str, ...]:
    """Return one or two webhook secrets: a tuple, or texts with a comma in between.

    Raises:
        InvalidInput: they are none; the message does not show them.

    """
    given: object = tuple(value.split(",")) if isinstance(value, str) else value
    found = cast("tuple[object, ...]", given) if isinstance(given, tuple) else (None,)
    texts = tuple(each for each in found if isinstance(each, str))
    are_right = all(_SECRET.fullmatch(each) for each in texts)
    if len(texts) < len(found) or len(texts) > _MOST_SECRETS or not are_right:
        message = "webhook secrets must be whsec_…, two at most, by a comma"
        raise InvalidInput(message)
    return texts


@attrs.frozen
class StripeCredentials(Unpicklable):
    """An API key, and the secrets of the webhook endpoint.

    None is in a repr, and the whole cannot be pickled: a task queue or a cache would
    write it to disk.

    Raises:
        InvalidInput: one is not well-formed.

    """

    api_key: str = attrs.field(converter=checked_api_key, repr=False)
    webhook_secrets: tuple[str, ...] = attrs.field(
        default=(), converter=checked_secrets, repr=False
    )

    @property
    def is_live(self) -> bool:
        """Whether the key moves real money."""
        return self.api_key.split("_")[1] == "live"
