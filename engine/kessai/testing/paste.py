"""Values and calls as Python that can be pasted into a test, in lines of a fit length."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

import attrs

FITS = 72
_LONG = 2000
_CLOSING = {"(": ")", "{": "}"}


def code(value: Any) -> str:
    """`value` as Python, in double quotes; what has its default is left out."""
    if attrs.has(type(value)):
        return call(type(value).__name__, _fields(value))
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, bytes):
        return _bytes(value)
    if isinstance(value, tuple):
        items = [code(item) for item in value]
        return f"({items[0]},)" if len(items) == 1 else call("", items)
    if isinstance(value, Mapping):
        return _within("{", (f"{code(k)}: {code(v)}" for k, v in value.items()))
    return _text(value) if isinstance(value, str) else repr(value)


def in_a_line(value: Any) -> str:
    """The same in one line."""
    lines = re.sub(r",\n *([)}])", r"\1", code(value))
    return re.sub(r",\n *", ", ", re.sub(r"([({])\n *", r"\1", lines))


def call(name: str, arguments: Iterable[str]) -> str:
    """The call of `name`, with an argument a line where it is long."""
    return _within(f"{name}(", arguments)


def _within(opening: str, items: Iterable[str]) -> str:
    items, closing = list(items), _CLOSING[opening[-1]]
    whole = f"{opening}{', '.join(items)}{closing}"
    if len(whole) <= FITS and "\n" not in whole:
        return whole
    lines = (f"    {line}" for each in items for line in f"{each},".splitlines())
    return "\n".join([opening, *lines, closing])


def _fields(value: Any) -> Iterator[str]:
    for field in attrs.fields(type(value)):
        given: Any = getattr(value, field.name)
        default: Any = field.default
        if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
            default = default.factory()
        if default is attrs.NOTHING or given != default:
            yield f"{field.name}={code(given)}"


def _text(value: str) -> str:
    # What JSON escapes, Python reads alike; line ends of Unicode's are escaped too.
    return json.dumps(value, ensure_ascii=not value.isprintable())


def _bytes(value: bytes) -> str:
    """Bytes as Python; those that repeat their beginning are written as a product."""
    for size in (1, 2, 5, 6) if len(value) > _LONG else ():
        times, rest = divmod(len(value), size)
        if value == value[:size] * times + value[:rest]:
            more = f" + {value[:rest]!r}" if rest else ""
            return f"{value[:size]!r} * {times}{more}"
    return repr(value)
