"""The browser's return: whether the parameters on its URL are the gateway's.

A redirect is a hint for the page that the consumer sees, never evidence: it
states nothing about money, so nothing here returns an outcome.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Never

from kessai.errors import RedirectRefused
from kessai_adapters.veritrans4g.credentials import Credentials

_PROOF = re.compile(r"[0-9a-f]{64}")
_BASE64_VARIANTS = str.maketrans({"*": "=", "-": "/", "_": "+", " ": "+"})
_LONGEST_LIST = 4096


def _refuse(why: str) -> Never:
    message = f"redirect refused: {why}"
    raise RedirectRefused(message)


def check_redirect(credentials: Credentials, query: Mapping[str, str]) -> None:
    """Make sure that the gateway sent the browser here with these parameters.

    `query` is the decoded query of the URL. Passing proves where the parameters come
    from and no more; ask the engine what became of the payment.

    Raises:
        RedirectRefused: the proof is missing, or not of these parameters.

    """
    proof = query.get("vAuthInfo")
    if proof is None or not _PROOF.fullmatch(proof):
        _refuse("vAuthInfo is not 64 lower-case hexadecimal digits")
    values = "".join(_value(query, name) for name in _names(query.get("authParams")))
    text = credentials.merchant_ccid + values + credentials.secret_key
    expected = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    if not hmac.compare_digest(proof, expected):
        _refuse("vAuthInfo does not match the parameters")


def _names(listed: str | None) -> list[str]:
    if not listed or len(listed) > _LONGEST_LIST:
        _refuse("authParams is missing or too long")
    names = _decoded(listed.translate(_BASE64_VARIANTS))
    if names is None:
        _refuse("authParams is not base64 of a list of names")
    return names.split(",")


def _decoded(encoded: str) -> str | None:
    # Refused by the caller, outside of `except`: a UnicodeDecodeError that stays behind
    # as the context of a refusal holds all the bytes, and error reporters show them.
    try:
        return base64.b64decode(encoded, validate=True).decode("ascii")
    except ValueError:
        return None


def _value(query: Mapping[str, str], name: str) -> str:
    value = query.get(name)
    if value is None:
        _refuse("a parameter that authParams names is missing")
    return value
