"""How members become bytes, and bytes a result: encoding, `authHash`, JSON.

This module owns the envelope around a request and a reply. It does not know what any
member means.
"""

import codecs
import hashlib
import json
from collections.abc import Mapping
from typing import Any, NoReturn, cast
from urllib.parse import quote_from_bytes

import attrs

from kessai_adapters.carried import as_json
from kessai_adapters.veritrans4g.credentials import Credentials

HEADERS = (("Content-Type", "application/x-www-form-urlencoded"),)
_TXN_VERSION = "2.0.0"
_HASH_FOLLOWS = ',"authHash":"'


def auth_hash(credentials: Credentials, params: bytes) -> str:
    """Make the lower-case hex SHA-256 of CCID, exact text of `params`, and secret key."""
    return hashlib.sha256(
        credentials.merchant_ccid.encode() + params + credentials.secret_key.encode()
    ).hexdigest()


# A space becomes %20 and not +: every form decoder agrees on that one.
_QUOTED = [quote_from_bytes(bytes([byte]), safe="") for byte in range(256)]


def _quoted(text: bytes) -> str:
    return "".join(map(_QUOTED.__getitem__, text))


_OPENING = _quoted(b'{"params":')
_MIDDLE = _quoted(_HASH_FOLLOWS.encode())
_CLOSING = _quoted(b'"}')
_COMMA = _quoted(b",")


def _common(envelope: "Envelope") -> bytes:
    members = {
        "txnVersion": _TXN_VERSION,
        "dummyRequest": "1" if envelope.dummy else "0",
        "merchantCcid": envelope.credentials.merchant_ccid,
    }
    return as_json(members).removeprefix(b"{")


def _common_quoted(envelope: "Envelope") -> str:
    return _quoted(_common(envelope))


@attrs.frozen
class Envelope:
    """Wraps the members of a request for one merchant, in test or in live mode.

    The common members never change, so both their texts are made once.
    """

    credentials: Credentials = attrs.field(repr=False)
    dummy: bool
    _common: bytes = attrs.field(
        init=False, repr=False, default=attrs.Factory(_common, takes_self=True)
    )
    _common_quoted: str = attrs.field(
        init=False, repr=False, default=attrs.Factory(_common_quoted, takes_self=True)
    )

    def seal(self, members: Mapping[str, object]) -> bytes:
        """Make the body that carries `members` (at least one) and the common ones, last.

        The text is made once; what is hashed is what is sent.

        Raises:
            InvalidInput: a text cannot be written in UTF-8 (half a surrogate pair).

        """
        own = as_json(members).removesuffix(b"}")
        digest = auth_hash(self.credentials, own + b"," + self._common)
        parts = (
            _OPENING,
            _quoted(own),
            _COMMA,
            self._common_quoted,
            _MIDDLE,
            digest,
            _CLOSING,
        )
        return "".join(parts).encode()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        # Two readers may take different ones of two `mstatus`: then neither is
        # evidence.
        message = "a member is there twice"
        raise ValueError(message)
    return members


def _no_constant(_name: str) -> NoReturn:
    message = "NaN and Infinity are no JSON"
    raise ValueError(message)


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def _shift_jis_inside(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    # The second byte of a Shift_JIS character may be a backslash. Left on its own it
    # would escape what follows, at worst the quote that ends the text: 予 is 97 5C.
    start, lead = error.start, error.object[error.start]
    end = start + (1 if lead in _SINGLE_BYTES else 2)
    try:
        return error.object[start:end].decode("cp932"), min(end, len(error.object))
    except UnicodeDecodeError:
        return "\N{REPLACEMENT CHARACTER}", start + 1


_SINGLE_BYTES = range(0xA0, 0xE0)
_SHIFT_JIS_INSIDE = "kessai.veritrans4g.shift_jis_inside"
codecs.register_error(_SHIFT_JIS_INSIDE, _shift_jis_inside)


def read_result(body: bytes) -> dict[str, Any] | None:
    """Read the `result` of a reply; None if the body is anything else.

    UTF-8 is the rule; pages inside are known to come in Shift_JIS, which is read where
    the bytes are no UTF-8.
    """
    return _result_in(body.decode("utf-8", _SHIFT_JIS_INSIDE))


def _result_in(text: str) -> dict[str, Any] | None:
    try:
        document = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    result = cast("dict[str, object]", document).get("result")
    return cast("dict[str, Any]", result) if isinstance(result, dict) else None
