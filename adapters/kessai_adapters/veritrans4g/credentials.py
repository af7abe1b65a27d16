"""Who the merchant is to the gateway, and the secret that proves it.

This module owns what credentials look like and that the secret stays out of every
text. It knows no message that is signed with it.
"""

import re
from typing import Never

import attrs

from kessai.errors import InvalidInput

_CCID = re.compile(r"[A-Za-z0-9]{1,64}")
_SECRET_KEY = re.compile(r"[0-9A-Fa-f]{64}")


def checked_ccid(value: object) -> str:
    """Return `value` if it can be a merchant CCID: 1 to 64 ASCII letters and digits.

    Raises:
        InvalidInput: it cannot; the message does not show it.

    """
    if not isinstance(value, str) or not _CCID.fullmatch(value):
        message = "the merchant CCID must be 1 to 64 ASCII letters and digits"
        raise InvalidInput(message)
    return value


def checked_secret_key(value: object) -> str:
    """Return `value` if it can be a merchant secret key: 64 hexadecimal digits.

    Raises:
        InvalidInput: it cannot; the message does not show it.

    """
    if not isinstance(value, str) or not _SECRET_KEY.fullmatch(value):
        message = "the secret key must be 64 hexadecimal digits"
        raise InvalidInput(message)
    return value


@attrs.frozen
class Credentials:
    """The merchant's CCID and secret key, as the gateway issued them.

    Neither is in a repr, and the whole cannot be pickled: a task queue or a cache
    would write it to disk.

    Raises:
        InvalidInput: one of the two is not well-formed.

    """

    merchant_ccid: str = attrs.field(converter=checked_ccid, repr=False)
    secret_key: str = attrs.field(converter=checked_secret_key, repr=False)

    # `typing.override` comes with Python 3.12.
    def __reduce_ex__(self, _protocol: object) -> Never:
        message = "credentials are never pickled or copied"
        raise TypeError(message)

    @property
    def signing_key(self) -> bytes:
        """The 32 bytes that sign notifications: the secret key, from hexadecimal."""
        return bytes.fromhex(self.secret_key)
