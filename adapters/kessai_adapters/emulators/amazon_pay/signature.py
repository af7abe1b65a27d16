"""Whose request it is: the signature that every request carries, verified as received.

RSASSA-PSS over an algorithm's name and the hash of the canonical request. The list of
signed headers is taken as it was sent, capitals and all; so is their order.
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote

from kessai_adapters.emulators.amazon_pay.errors import AmazonRefused

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

SALT_BYTES: Final = {"AMZN-PAY-RSASSA-PSS": 20, "AMZN-PAY-RSASSA-PSS-V2": 32}
"""The algorithms by their names, with the length of the salt."""

MUST_BE_SIGNED: Final = frozenset(
    {"x-amz-pay-date", "x-amz-pay-host", "x-amz-pay-region"}
)

_AUTHORIZATION: Final = re.compile(
    r"(\S+) PublicKeyId=([^\s,]+), ?SignedHeaders=([^\s,]+), ?Signature=([^\s,]+)"
)
_PREFIXED: Final = re.compile(r"(?:live|sandbox)-", re.IGNORECASE)


def _unauthorized(why: str) -> AmazonRefused:
    return AmazonRefused(401, "UnauthorizedAccess", why)


def canonical_request(
    method: str, path: str, headers: Mapping[str, str], names: str, body: bytes
) -> str:
    """Return what is hashed of a request; `names` is its list of signed headers."""
    given = {name.lower(): value for name, value in headers.items()}
    bare, _, query = path.partition("?")
    parts = sorted(parse_qsl(query, keep_blank_values=True))
    written = "&".join(f"{quote(n, safe='~')}={quote(v, safe='~')}" for n, v in parts)
    lines = [f"{n.lower()}:{given[n.lower()]}" for n in names.split(";")]
    digest = sha256(body).hexdigest()
    return "\n".join([method, bare, written, *lines, "", names, digest])


def verify(
    keys: Mapping[str, "RSAPublicKey"],
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
) -> None:
    """Check that one of the merchant's `keys`, by their ids, has signed the request.

    Raises:
        AmazonRefused: it is not signed, not by a known key, or for another path.

    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.hashes import SHA256

    given = {name.lower(): value for name, value in headers.items()}
    if "authorization" not in given:
        message = "authorization is missing"
        raise AmazonRefused(400, "MissingHeader", message)
    found = _AUTHORIZATION.fullmatch(given["authorization"])
    if found is None or found[1] not in SALT_BYTES:
        message = "authorization is not valid"
        raise AmazonRefused(400, "InvalidHeaderValue", message)
    algorithm, key_id, names, signature = found.groups()
    signed = {name.lower() for name in names.split(";")}
    if missing := (MUST_BE_SIGNED | signed) - (signed & given.keys()):
        message = f"{', '.join(sorted(missing))}: missing, or not signed"
        raise AmazonRefused(400, "MissingHeader", message)
    key = keys.get(key_id)
    if key is None or not path.startswith(root_of(key_id)):
        raise _unauthorized("the key is not known here")
    request = canonical_request(method, path, headers, names, body)
    text = f"{algorithm}\n{sha256(request.encode()).hexdigest()}"
    pss = padding.PSS(padding.MGF1(SHA256()), SALT_BYTES[algorithm])
    try:
        key.verify(b64decode(signature, validate=True), text.encode(), pss, SHA256())
    except (InvalidSignature, NotBase64):
        raise _unauthorized("the signature does not hold") from None


def root_of(key_id: str) -> str:
    """Return where paths begin under a key: an older one, without a prefix, is a sandbox's."""
    return "/v2/" if _PREFIXED.match(key_id) else "/sandbox/v2/"
