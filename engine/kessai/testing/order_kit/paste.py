"""A story as Python that can be pasted into a test: imports, a `with`, a line a move."""

import json
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

import attrs

WIDTH = 88
_INDENT = " " * 8


@attrs.frozen
class MoveLine:
    """One move: the method, what it was given, and what came of it."""

    name: str
    given: Sequence[Any] = ()
    named: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    came_of_it: str = ""

    def __str__(self) -> str:
        given = [("", value) for value in self.given]
        named = [(f"{name}=", value) for name, value in self.named.items()]
        call = _call(f"story.{self.name}", [*given, *named])
        return f"{call}  # {self.came_of_it}" if self.came_of_it else call


def as_test(system: type, lines: Iterable[MoveLine], found: str) -> str:
    """A test that runs `lines` on the order system of `system`."""
    return "\n".join(
        [
            *_import(system),
            "",
            "",
            "def test_a_story_that_was_found():",
            *_comment(found),
            f"    with {system.__name__}.story() as story:",
            *(f"{_INDENT}{line}" for line in [*map(str, lines)] or ["pass"]),
            "",
        ]
    )


def literal(value: Any) -> str:
    """`value` as Python, in double quotes."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        # What JSON escapes, Python reads alike; line ends of Unicode's are escaped too.
        return json.dumps(value, ensure_ascii=not value.isprintable())
    if isinstance(value, Mapping):
        items = (f"{literal(k)}: {literal(v)}" for k, v in value.items())
        return "{" + ", ".join(items) + "}"
    return repr(value)


def _import(system: type) -> list[str]:
    where = f"from {system.__module__} import {system.__name__}"
    if "." in system.__qualname__ or system.__module__ == "__main__":
        return [f"# {system.__qualname__} is in {system.__module__}"]
    return [where]


def _comment(found: str) -> list[str]:
    return [f"    # {line}" for line in found.splitlines()]


def _call(name: str, arguments: list[tuple[str, Any]]) -> str:
    """The call in a line, or with an argument a line where it is long."""
    written = [f"{prefix}{literal(value)}" for prefix, value in arguments]
    whole = f"{name}({', '.join(written)})"
    if len(_INDENT) + len(whole) <= WIDTH:
        return whole
    inner = f"{_INDENT}    "
    lines = "".join(f"{inner}{_long(p, v, inner)},\n" for p, v in arguments)
    return f"{name}(\n{lines}{_INDENT})"


def _long(prefix: str, value: Any, indent: str) -> str:
    """An argument, with an item a line where it is a mapping and long."""
    whole = f"{prefix}{literal(value)}"
    if not isinstance(value, Mapping) or len(indent) + len(whole) < WIDTH:
        return whole
    inner = f"{indent}    "
    items = "".join(f"{inner}{literal(k)}: {literal(v)},\n" for k, v in value.items())
    return f"{prefix}{{\n{items}{indent}}}"
