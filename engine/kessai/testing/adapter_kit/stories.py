"""A finding as it is shown: what is wrong, the contract's words, and a test to paste."""

import re
from collections.abc import Iterator, Sequence

import attrs

from kessai.testing.adapter_kit.contract import Clause

SHOWN = 8
"""How many findings of one check are named besides the first, which is shown in full."""


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
        *("Call", "Evidence", "ListedExchange", "Failure", "Mention", "Outcome"),
        *("Reply", "Request", "Source"),
    ),
}


def _imports(text: str) -> Iterator[str]:
    # What stands in quotes names nothing.
    words = set(re.findall(r"\w+", re.sub(r"\"[^\"]*\"|'[^']*'", "", text)))
    yield from (f"import {module}" for module in _MODULES if module in words)
    for module, names in _NAMES.items():
        if used := [name for name in names if name in words]:
            yield f"from {module} import {', '.join(used)}"
