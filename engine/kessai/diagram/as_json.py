"""The whole declaration for machines: what was read, merged and hashed."""

import msgspec

from kessai.spec import Lifecycle

_encode = msgspec.json.Encoder(order="sorted").encode


def as_json(lifecycle: Lifecycle, _language: str = "en") -> str:
    """Return the declaration as JSON, keys in order, all languages in it.

    The SHA-256 of `declaration`, written without white space, is `hash`.
    """
    encoded = _encode(
        {"declaration": msgspec.Raw(lifecycle.document), "hash": lifecycle.hash}
    )
    return msgspec.json.format(encoded, indent=2).decode() + "\n"
