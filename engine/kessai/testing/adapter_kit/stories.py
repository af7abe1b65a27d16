"""A finding as it is shown: what is wrong, the contract's words, and a test to paste."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from typing import Any

import attrs

from kessai.testing.adapter_kit.contract import Clause
from kessai.testing.order_kit.paste import literal

_FITS = 72
SHOWN = 8
"""How many findings of one check are named besides the first, which is shown in full."""

_LONG = 2000


@attrs.frozen
class ConformanceFinding:
    """One thing that an adapter, or what is on record of it, does not do right."""

    wrong: str
    clause: Clause
    right: str
    story: str = ""

    def __str__(self) -> str:
        lines = [
            self.wrong,
            f"  contract: {self.clause}",
            f"  right:    {self.right}",
        ]
        if self.story:
            lines += ["", *(f"    {line}".rstrip() for line in self.story.splitlines())]
        return "\n".join(lines)


class AdapterRaised(Exception):
    """The adapter raised where the kit only wanted its answer."""

    def __init__(self, finding: ConformanceFinding) -> None:
        super().__init__(finding.wrong)
        self.finding = finding


Check = Callable[[Any], Iterator[ConformanceFinding]]


def shown_together(
    findings: Sequence[ConformanceFinding], secrets: Sequence[str]
) -> str:
    """`findings` as the text of a failure; a secret that got into it is masked."""
    first, *others = findings
    lines = [f"also: {finding.wrong}" for finding in others[:SHOWN]]
    if len(others) > SHOWN:
        lines.append(f"and {len(others) - SHOWN} more")
    text = "\n\n".join([str(first), *(["\n".join(lines)] if lines else [])])
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def code(value: Any) -> str:
    """`value` as Python, in lines of a fit length; what has its default is left out."""
    if attrs.has(type(value)):
        return _call(type(value).__name__, _fields(value))
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, bytes):
        return bytes_code(value)
    if isinstance(value, tuple):
        items = [code(item) for item in value]
        return f"({items[0]},)" if len(items) == 1 else _call("", items)
    return literal(value)


def in_a_line(value: Any) -> str:
    """The same in one line."""
    lines = re.sub(r",\n *\)", ")", code(value))
    return re.sub(r",\n *", ", ", re.sub(r"\(\n *", "(", lines))


def _call(name: str, arguments: Iterable[str]) -> str:
    arguments = list(arguments)
    whole = f"{name}({', '.join(arguments)})"
    if len(whole) <= _FITS and "\n" not in whole:
        return whole
    lines = (f"    {line}" for each in arguments for line in f"{each},".splitlines())
    return "\n".join([f"{name}(", *lines, ")"])


def _fields(value: Any) -> Iterator[str]:
    for field in attrs.fields(type(value)):
        given: Any = getattr(value, field.name)
        default: Any = field.default
        if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
            default = default.factory()
        if default is attrs.NOTHING or given != default:
            yield f"{field.name}={code(given)}"


def bytes_code(value: bytes) -> str:
    """Bytes as Python; those that repeat their beginning are written as a product."""
    if len(value) <= _LONG:
        return repr(value)
    for size in (1, 2, 5, 6):
        times, rest = divmod(len(value), size)
        if value == value[:size] * times + value[:rest]:
            more = f" + {value[:rest]!r}" if rest else ""
            return f"{value[:size]!r} * {times}{more}"
    return repr(value)


def as_test(made: Sequence[str], statements: Sequence[str]) -> str:
    """A test that can be pasted: what it needs is imported, besides the lines `made`."""
    lines = [line for statement in statements for line in statement.split("\n")]
    body = [f"    {line}".rstrip() for line in lines]
    imports = [*_imports("\n".join(statements)), *made]
    gap = ["", ""] if imports else []
    return "\n".join([*imports, *gap, "def test_what_the_kit_found():", *body])


_MODULES = ("copy", "datetime", "pytest")
_NAMES = {
    "kessai.errors": ("InvalidInput", "NotificationRefused"),
    "kessai.gateway_exchange": ("can_be_kept",),
    "kessai.testing.adapter_kit.guard": ("state_of", "watching"),
    "kessai.gateway": (
        *(
            "Call",
            "Evidence",
            "ListedExchange",
            "Failure",
            "Outcome",
            "Reply",
            "Request",
        ),
        "Source",
    ),
}


def _imports(text: str) -> Iterator[str]:
    # What stands in quotes names nothing.
    words = set(re.findall(r"\w+", re.sub(r"\"[^\"]*\"|'[^']*'", "", text)))
    yield from (f"import {module}" for module in _MODULES if module in words)
    for module, names in _NAMES.items():
        if used := [name for name in names if name in words]:
            yield f"from {module} import {', '.join(used)}"
