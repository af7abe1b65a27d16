"""Requests as form fields, replies as JSON, and what can be read off either.

Every reader is total: a value that cannot be trusted is None or empty, never an error and
never a guess. No text for people passes.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import cast
from urllib.parse import quote

import attrs

from kessai.errors import InvalidInput
from kessai.gateway import Call, Request
from kessai_adapters.carried import NO_UTF_8
from kessai_adapters.stated import Members
from kessai_adapters.stripe.credentials import StripeCredentials

API_VERSION = "2026-10-28.endive"
"""The version of Stripe's API whose replies are read here, whatever the account's is."""

_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")
_ID = re.compile(r"[A-Za-z0-9_]{1,255}")
_CODE = re.compile(r"[a-z0-9_]{1,100}")
_LATEST = 10**11
_HIGHEST = 10**12


@attrs.frozen
class Api:
    """Makes the requests for one account."""

    host: str
    credentials: StripeCredentials = attrs.field(repr=False)

    def get(self, path: str, **fields: object) -> Request:
        """A request that only reads."""
        query = _form(fields)
        url = f"{self.host}/v1/{path}{'?' if query else ''}{query}"
        return Request(method="GET", url=url, headers=self._headers())

    def post(self, path: str, call: Call, **fields: object) -> Request:
        """A request that moves something, under the key of `call`."""
        return Request(
            method="POST",
            url=f"{self.host}/v1/{path}",
            headers=(
                *self._headers(),
                ("Content-Type", "application/x-www-form-urlencoded"),
                ("Idempotency-Key", call.key()),
            ),
            body=_form(fields).encode(),
        )

    def _headers(self) -> tuple[tuple[str, str], ...]:
        return (
            ("Authorization", f"Bearer {self.credentials.api_key}"),
            ("Stripe-Version", API_VERSION),
        )


def _form(fields: Mapping[str, object]) -> str:
    return "&".join([f"{name}={_quoted(value)}" for name, value in _flat("", fields)])


def _flat(under: str, fields: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Each field by its name with brackets; what is None is left out."""
    for name, value in fields.items():
        if value is None:
            continue
        full = f"{under}[{name}]" if under else name
        if isinstance(value, dict):
            yield from _flat(full, cast("Mapping[str, object]", value))
        elif isinstance(value, tuple):
            yield from _flat(full, {str(n): each for n, each in enumerate(value)})
        elif isinstance(value, bool):
            yield full, "true" if value else "false"
        else:
            yield full, str(value)


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):  # as nearly always, and much quicker
        return value
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        pass
    raise InvalidInput(NO_UTF_8)


def read_items(stated: Members) -> list[Members] | None:
    """The objects of a list; None where it is no list."""
    data = stated.get("data")
    if stated.get("object") != "list" or not isinstance(data, list):
        return None
    items: list[Members] = [each for each in data if isinstance(each, dict)]
    return items if len(items) == len(data) else None


def read_id(stated: Members, name: str = "id") -> str:
    """An id: of an object in full, too; empty where there is none."""
    value = stated.get(name)
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def read_code(stated: Members, name: str) -> str:
    """A code or a status; empty where there is none."""
    value = stated.get(name)
    return value if isinstance(value, str) and _CODE.fullmatch(value) else ""


def read_number(stated: Members, name: str) -> int | None:
    """A whole number that is not below 0; None where there is none."""
    value = stated.get(name)
    return value if type(value) is int and 0 <= value < _HIGHEST else None


def read_time(stated: Members, name: str) -> datetime | None:
    """A time, in UTC; None where there is none."""
    value = stated.get(name)
    if type(value) is not int or not 0 < value < _LATEST:
        return None
    return datetime.fromtimestamp(value, UTC)
