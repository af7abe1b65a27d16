"""Who the merchant is to the gateway, and the secret that proves it.

This module owns what credentials look like and that the secret stays out of every
text. It knows no message that is signed with it.
"""

import re

import attrs

from kessai_adapters.settings import Unpicklable, matching

_CCID = re.compile(r"[A-Za-z0-9]{1,64}")
_SECRET_KEY = re.compile(r"[0-9A-Fa-f]{64}")


def checked_ccid(value: object) -> str:
    """Return `value` if it can be a merchant CCID: 1 to 64 ASCII letters and digits.

    Raises:
        InvalidInput: it cannot; the message does not show it.

    """
    return matching(
        value, _CCID, "the merchant CCID must be 1 to 64 ASCII letters and digits"
    )


def checked_secret_key(value: object) -> str:
    """Return `value` if it can be a merchant secret key: 64 hexadecimal digits.

    Raises:
        InvalidInput: it cannot; the message does not show it.

    """
    return matching(value, _SECRET_KEY, "the secret key must be 64 hexadecimal digits")


@attrs.frozen
class Credentials(Unpicklable):
    """The merchant's CCID and secret key, as the gateway issued them.

    Neither is in a repr, and the whole cannot be pickled: a task queue or a cache
    would write it to disk.

    Raises:
        InvalidInput: one of the two is not well-formed.

    """

    merchant_ccid: str = attrs.field(converter=checked_ccid, repr=False)
    secret_key: str = attrs.field(converter=checked_secret_key, repr=False)

    @property
    def signing_key(self) -> bytes:
        """The 32 bytes that sign notifications: the secret key, from hexadecimal."""
        return bytes.fromhex(self.secret_key)
