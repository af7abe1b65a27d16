"""A `Request` as bytes, or the reason why it cannot be sent.

A request goes out as the adapter wrote it. Only what frames it is added: `Host` and
`Content-Length`, and an adapter that writes these itself is refused. So is everything
that could end a line too early: no value of an order can become a header of its own.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from kessai.gateway import Request


class Origin(NamedTuple):
    """Where a request goes: what a connection can be used again for."""

    tls: bool
    host: str
    port: int


class MalformedRequest(Exception):
    """A request that cannot be sent. The message shows no value of it."""


_URL: Final = re.compile(
    r"([Hh][Tt][Tt][Pp][Ss]?)://"
    r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)"
    r"(?::([0-9]{1,5}))?"
    r"(/[!\"$->@-~]*)?(\?[!\"$-~]*)?"  # no space, and nothing from '#' on
)
_AUTHORITY_END: Final = re.compile("[/?#]")
_BLANK: Final = re.compile(r"\s")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

_DEFAULT_PORTS: Final = {False: 80, True: 443}
_LARGEST_PORT: Final = 65_535
_WITH_LENGTH: Final = frozenset({"POST", "PUT", "PATCH"})
"""The methods that announce a body also where it is empty."""

_FRAMING: Final = (
    *("host", "content-length", "transfer-encoding", "connection", "keep-alive"),
    *("upgrade", "expect", "te", "trailer", "proxy-connection"),
)


def encode(request: Request) -> tuple[Origin, bytes]:
    """Where `request` goes, and its bytes.

    Raises:
        MalformedRequest: it cannot be sent as it is.

    """
    try:
        return _encode(request)
    except (TypeError, ValueError, AttributeError) as error:
        message = "the request is not made of texts and bytes"
        raise MalformedRequest(message) from error


def origin_of(url: str) -> Origin:
    """Where a request with this `url` goes.

    Raises:
        MalformedRequest: none can be sent there.

    """
    origin, _, _ = _target(url)
    return origin


def _encode(request: Request) -> tuple[Origin, bytes]:
    method, body = request.method, request.body
    if not _TOKEN.fullmatch(method) or method == "CONNECT":
        message = "the request's method is malformed"
        raise MalformedRequest(message)
    origin, host, target = _target(request.url)
    head = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n"
    for name, value in request.headers:
        if (wrong := _wrong(name)) is not None:
            raise MalformedRequest(wrong)
        if not _VALUE.fullmatch(value):
            message = f"the value of the header {name} is malformed"
            raise MalformedRequest(message)
        head += f"{name}: {value}\r\n"
    if body or method in _WITH_LENGTH:
        head += f"Content-Length: {len(body)}\r\n"
    return origin, b"".join((head.encode("latin-1"), b"\r\n", body))


@lru_cache
def _target(url: str) -> tuple[Origin, str, str]:
    """Where `url` leads, the value of `Host`, and what is asked for there."""
    found = _URL.fullmatch(url)
    if found is None:
        message = f"the request's URL is malformed: {_why_malformed(url)}"
        raise MalformedRequest(message)
    scheme, name, given, path, query = found.groups()
    tls = scheme.lower() == "https"
    port = _DEFAULT_PORTS[tls] if given is None else int(given)
    if not 0 < port <= _LARGEST_PORT:
        message = f"the request's port is malformed: 1 to {_LARGEST_PORT} is right"
        raise MalformedRequest(message)
    host = name if port == _DEFAULT_PORTS[tls] else f"{name}:{port}"
    origin = Origin(tls, name.strip("[]").lower(), port)
    return origin, host, (path or "/") + (query or "")


def _why_malformed(url: str) -> str:
    """Which part of a `url` is wrong, and what would be right; no part is repeated."""
    scheme, separator, rest = url.partition("://")
    authority = _AUTHORITY_END.split(rest, maxsplit=1)[0]
    rest = rest[len(authority) :]
    wrongs = (
        (not url, "it is empty"),
        (
            not separator or scheme.lower() not in {"http", "https"},
            "it does not begin with https:// or http://",
        ),
        ("@" in authority, "a user name or a password does not belong in it"),
        (not authority or authority[0] == ":", "it names no host"),
        (
            not authority.isascii(),
            "its host has characters beyond ASCII; Punycode (xn--…) is right",
        ),
        ("#" in rest, "what begins with '#' is never sent; leave it out"),
        (bool(_BLANK.search(url)), "it has a blank; %20 is right in a path"),
        (not rest.isascii(), "it has characters beyond ASCII; %XX is right for them"),
    )
    found = (what for is_wrong, what in wrongs if is_wrong)
    return next(found, "HOST or HOST:PORT is right before the path")


@lru_cache
def _wrong(name: str) -> str | None:
    """Why a header of that name cannot be sent."""
    if not _TOKEN.fullmatch(name):
        return "a header's name is malformed"
    if name.lower() in _FRAMING:
        return f"the transport itself writes the header {name}"
    return None
