"""A story as Python that can be pasted into a test: imports, a `with`, a line a move."""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

import attrs

from kessai.testing.paste import call, code

_INDENT = " " * 8


@attrs.frozen
class MoveLine:
    """One move: the method, what it was given, and what came of it."""

    name: str
    given: Sequence[Any] = ()
    named: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    came_of_it: str = ""

    def __str__(self) -> str:
        arguments = [_code(value) for value in self.given]
        arguments += [f"{name}={_code(value)}" for name, value in self.named.items()]
        line = call(f"story.{self.name}", arguments).replace("\n", f"\n{_INDENT}")
        return f"{line}  # {self.came_of_it}" if self.came_of_it else line


def as_test(system: type, lines: Iterable[MoveLine], found: str) -> str:
    """A test that runs `lines` on the order system of `system`."""
    return "\n".join(
        [
            _import(system),
            "",
            "",
            "def test_a_story_that_was_found():",
            *(f"    # {line}" for line in found.splitlines()),
            f"    with {system.__name__}.story() as story:",
            *(f"{_INDENT}{line}" for line in [*map(str, lines)] or ["pass"]),
            "",
        ]
    )


def _code(value: Any) -> str:
    return code(value.value if isinstance(value, Enum) else value)


def _import(system: type) -> str:
    if "." in system.__qualname__ or system.__module__ == "__main__":
        return f"# {system.__qualname__} is in {system.__module__}"
    return f"from {system.__module__} import {system.__name__}"
