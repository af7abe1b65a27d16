"""The gateway's wire format: reading a request, writing a reply.

Owns the two body encodings, the place of `params` in the text (the hash covers the
bytes that were sent, so they are found, never written anew) and the reply's envelope.
Knows nothing of orders.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Final, cast
from urllib.parse import unquote_to_bytes

import attrs
import msgspec

from kessai_adapters.emulators.reply import EmulatorReply
from kessai_adapters.emulators.veritrans4g.codes import MESSAGES, Code
from kessai_adapters.emulators.veritrans4g.errors import Refused
from kessai_adapters.emulators.veritrans4g.merchant import Merchant
from kessai_adapters.emulators.veritrans4g.words import Command, Result

JAPAN: Final = timezone(timedelta(hours=9), "JST")
"""The wire's time zone; inside, times are UTC."""

SEARCH_SERVICE: Final = "search"
_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"
_BLANK: Final = " \t\r\n"

_decoder: Final = json.JSONDecoder()
_encode: Final = msgspec.json.Encoder().encode


@attrs.frozen(kw_only=True)
class Route:
    """What a path asks for, and whether in dummy (test) mode."""

    command: Command
    dummy: bool


def _routes() -> dict[str, Route]:
    routes: dict[str, Route] = {}
    for prefix, dummy in (("", False), ("test-", True)):
        for command in Command:
            path = f"/{prefix}paynow/v2/{command}/amazonpay"
            if command is Command.SEARCH:
                path = f"/{prefix}paynow-search/v2/Search/search"
            routes[path] = Route(command=command, dummy=dummy)
    return routes


ROUTES: Final[dict[str, Route]] = _routes()
"""Every path of the gateway."""


def content_type(headers: Mapping[str, str]) -> str:
    """Return the media type without its parameters, in lower case."""
    found = headers.get("content-type")
    if found is None:
        named = {name.lower(): value for name, value in headers.items()}
        found = named.get("content-type", "")
    return found.partition(";")[0].strip().lower()


def text_of(headers: Mapping[str, str], body: bytes) -> str:
    """Return the request's JSON text, undoing the URL-encoding of the whole body.

    The media type decides; without one, the first character does.
    """
    kind = content_type(headers) or (_JSON if body.lstrip().startswith(b"{") else _FORM)
    try:
        if kind == _JSON:
            return body.decode()
        if kind == _FORM:
            return unquote_to_bytes(body.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        pass
    raise Refused(Code.UNREADABLE)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _expect(text: str, at: int, letter: str) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != letter:
        raise Refused(Code.UNREADABLE)
    return _skip(text, at + 1)


def _members(text: str) -> dict[str, tuple[object, str]]:
    """Return the outer object's members, each with the text it was written as."""
    found: dict[str, tuple[object, str]] = {}
    at = _expect(text, 0, "{")
    while True:
        name, end = _decoder.raw_decode(text, at)
        if not isinstance(name, str) or name in found:
            raise Refused(Code.UNREADABLE)
        start = _expect(text, end, ":")
        value, end = _decoder.raw_decode(text, start)
        found[name] = (value, text[start:end])
        at = _skip(text, end)
        if text[at : at + 1] != ",":
            break
        at = _skip(text, at + 1)
    if _expect(text, at, "}") != len(text):
        raise Refused(Code.UNREADABLE)
    return found


def read(text: str, merchant: Merchant) -> dict[str, Any]:
    """Return `params` of a request if its `authHash` fits; refuse any other."""
    try:
        members = _members(text)
        params, written = members["params"]
        auth_hash, _ = members["authHash"]
        # A lone surrogate, escaped in the JSON, is a text that nobody can write.
        _encode([params, auth_hash])
    except (ValueError, KeyError, RecursionError) as error:
        raise Refused(Code.UNREADABLE) from error
    if not isinstance(params, dict) or not isinstance(auth_hash, str):
        raise Refused(Code.UNREADABLE)
    found = cast("dict[str, Any]", params)
    if not merchant.knows(written, auth_hash):
        raise Refused(Code.WRONG_HASH)
    if found.get("merchantCcid") != merchant.ccid:
        raise Refused(Code.UNKNOWN_MERCHANT)
    return found


def result_of(code: Code) -> Result:
    """Return the `mstatus` that goes with a result code."""
    if code is Code.SUCCESS:
        return Result.SUCCESS
    return Result.PENDING if code is Code.PENDING else Result.FAILURE


def result(
    command: Command, code: Code, members: Mapping[str, object], message: str = ""
) -> dict[str, object]:
    """Return a reply's `result`: what every command answers, then `members`."""
    search = command is Command.SEARCH
    return {
        "serviceType": SEARCH_SERVICE if search else "amazonpay",
        "mstatus": result_of(code).value,
        "vResultCode": code.value,
        "merrMsg": message or MESSAGES[code],
        **members,
    }


def reply(result: Mapping[str, object], status: int = 200) -> EmulatorReply:
    """Return `result` in its envelope."""
    return EmulatorReply(
        status=status,
        headers={"Content-Type": "application/json;charset=UTF-8"},
        body=_encode({"payNowIdResponse": {}, "result": result}),
    )


def compact(moment: datetime) -> str:
    """Return a time as `YYYYMMDDhhmmss` in Japan."""
    return moment.astimezone(JAPAN).strftime("%Y%m%d%H%M%S")


def spaced(moment: datetime) -> str:
    """Return a time as an inquiry writes it: `2023-08-30 16:33:06.0`, in Japan."""
    local = moment.astimezone(JAPAN)
    return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 100_000}"
