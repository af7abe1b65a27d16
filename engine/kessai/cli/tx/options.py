"""What `kessai tx` takes from a shell, where everything is text, and how it is read."""

import re
from collections.abc import Iterable
from typing import Any

import click

from kessai.cli.terminal.json_line import meant, short
from kessai.machine import Machine
from kessai.money import AMOUNT_LIMIT
from kessai.spec import Parameter, TextParameter

_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_UNDECLARED = TextParameter
"""Read as text. If no lifecycle declares it, the denial says so."""


class Amount(click.ParamType[int]):
    """An amount in minor units: plain digits, so that nothing can be read two ways."""

    name = "amount"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """The number that `value` writes, or a usage error."""
        if type(value) is int:
            return value
        if not isinstance(value, str) or _DIGITS.fullmatch(value) is None:
            message = (
                f"{short(str(value))} is not an amount; give minor units in plain"
                " digits, such as 1200"
            )
            self.fail(message, param, ctx)
        if len(value.lstrip("0")) >= len(str(AMOUNT_LIMIT)):
            most = f"the most is {AMOUNT_LIMIT - 1:,} minor units"
            self.fail(f"{short(value)} is more than any amount; {most}", param, ctx)
        return int(value)


def known_command(name: str, machines: Iterable[Machine]) -> str:
    """`name`, if some lifecycle has a command of that name.

    Raises:
        click.UsageError: none has.

    """
    known = sorted({command for machine in machines for command in machine.commands})
    if name not in known:
        message = f"{short(name)} is not a command; {meant(name, known)}"
        raise click.UsageError(message)
    return name


def read_parameters(
    given: Iterable[str], frequency: str | None, machines: Iterable[Machine]
) -> dict[str, Any]:
    """The parameters of a command from `name=value` texts, by their declared kinds.

    Raises:
        click.UsageError: a text is not of that form, or not of its parameter's kind.

    """
    declared: dict[str, Parameter] = {}
    for machine in machines:
        declared |= machine.lifecycle.parameters
    texts = [*given, *([f"frequency={frequency}"] if frequency is not None else [])]
    return {
        name: _value(name, text, declared.get(name, _UNDECLARED))
        for name, text in read_texts(texts).items()
    }


def read_texts(given: Iterable[str]) -> dict[str, str]:
    """The values of `name=value` texts by their names.

    Raises:
        click.UsageError: a text is not of that form, or a name is given twice.

    """
    texts: dict[str, str] = {}
    for text in given:
        name, found, value = text.partition("=")
        if not found or not name:
            # Not shown: without a name it is the value, a note to a person perhaps.
            message = "--param: give a name and a value, such as note=thanks"
            raise click.UsageError(message)
        if name in texts:
            message = f"--param {short(name)}: given twice"
            raise click.UsageError(message)
        texts[name] = value
    return texts


def _value(name: str, text: str, kind: Parameter | type[Parameter]) -> Any:
    value = kind.from_option(text)
    if value is None:
        message = f"{name}: {kind.form}"
        raise click.UsageError(message)
    return value
