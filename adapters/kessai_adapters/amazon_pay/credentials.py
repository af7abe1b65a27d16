"""Who the merchant is to Amazon, and the private key that proves it.

This module owns what credentials look like, and that the key stays out of every text.
"""

import re
from typing import TYPE_CHECKING

import attrs

from kessai.errors import InvalidInput
from kessai_adapters.settings import Unpicklable, matching

if TYPE_CHECKING:
    from Crypto.PublicKey.RSA import RsaKey

_KEY_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_PREFIX = re.compile(r"(live|sandbox)-", re.IGNORECASE)


def checked_key_id(value: object) -> str:
    """Return `value` if it can be the id of a public key.

    Raises:
        InvalidInput: it cannot; the message does not show it.

    """
    return matching(
        value,
        _KEY_ID,
        "the id of the public key must be 8 to 64 letters, digits and dashes",
    )


def checked_name(value: object) -> str:
    """Return `value` if it can be the id of a merchant or of a store.

    Raises:
        InvalidInput: it cannot; the message does not show it.

    """
    return matching(
        value, _NAME, "an id of a merchant or a store is 1 to 100 of A-Z a-z 0-9 . _ -"
    )


def checked_private_key(value: object) -> "RsaKey":
    r"""Return the RSA key in `value`, a PEM text; `\n` may stand for a line's end.

    Raises:
        InvalidInput: it is none, or shorter than 2048 bits; the message does not show it.

    """
    try:
        from Crypto.PublicKey import RSA
    except ImportError as error:
        message = "Amazon Pay needs the extra: pip install 'kessai[amazon-pay]'"
        raise InvalidInput(message) from error
    message = "the private key must be an RSA key of 2048 bits or more, as PEM"
    if not isinstance(value, str):
        raise InvalidInput(message)
    try:
        key = RSA.import_key(value.replace("\\n", "\n"))
    except (ValueError, IndexError, TypeError):
        raise InvalidInput(message) from None
    if not key.has_private() or key.size_in_bits() < 2048:  # noqa: PLR2004 - Amazon's least
        raise InvalidInput(message)
    return key


@attrs.frozen(eq=False)
class AmazonCredentials(Unpicklable):
    """The merchant, its store, and the key pair that Amazon knows the public part of.

    The private key is in no repr, and the whole cannot be pickled: a task queue or a
    cache would write it to disk.

    Raises:
        InvalidInput: one of them is not well-formed.

    """

    merchant_id: str = attrs.field(converter=checked_name)
    store_id: str = attrs.field(converter=checked_name, repr=False)
    public_key_id: str = attrs.field(converter=checked_key_id, repr=False)
    private_key: "RsaKey" = attrs.field(converter=checked_private_key, repr=False)

    @property
    def environment(self) -> str | None:
        """The environment that the key's id names: `live` or `sandbox`; None if none."""
        found = _PREFIX.match(self.public_key_id)
        return None if found is None else found[1].lower()
