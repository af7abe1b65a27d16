"""From the members of one line to a command: every field known, and of its shape.

`kessai.Command` decides what a field may hold; which commands and lifecycles
there are is the lifecycle files'. Here is only what JSON can get wrong before that.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import attrs

from kessai.cli.terminal.json_line import NotWhole, kind_of, meant, short
from kessai.errors import InvalidCommand
from kessai.machine import Command, Machines
from kessai.money import AMOUNT_LIMIT
from kessai.spec import FrequencyParameter

_REQUIRED = ("at", "key", "command", "transaction")
_TEXTS = (*_REQUIRED, "lifecycle", "agreement", "currency", "account")
KNOWN = (*_TEXTS, "amount", "frequency", "parameters")
OF_IMPORTS = ("references", "deadlines")
"""What a line has besides that says what was carried out elsewhere."""

_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_TIME = "a time with its zone is right, such as 2024-06-01T09:30:00Z"
_AMOUNT = (
    f"a whole number of minor units below {AMOUNT_LIMIT:,} is right, in plain digits,"
    " without quotes, point or exponent"
)
_FREQUENCY = 'an object is right, such as {"unit":"Month","value":1}'
_MEMBERS = FrequencyParameter.members


@attrs.frozen
class WrongField:
    """What is wrong with a line: the path of the member, and what would be right."""

    path: tuple[str, ...]
    what: str
    of_name: bool = False


@attrs.frozen
class TimedCommand:
    """A command, and when the order system asks for it.

    Of one that was carried out elsewhere: when, and what the gateway stated of it.
    """

    at: datetime
    command: Command
    references: Mapping[str, str] = attrs.field(factory=dict[str, str])
    deadlines: Mapping[str, datetime] = attrs.field(factory=dict[str, datetime])


def read_fields(
    fields: Mapping[str, Any], machines: Machines, more: tuple[str, ...] = ()
) -> TimedCommand | list[WrongField]:
    """The command that `fields` ask for, or all that is wrong with them.

    `more` are names that they may have besides.
    """
    wrong = list(_wrong_names(fields, (*KNOWN, *more)))
    wrong += _wrong_kinds(fields)
    wrong += _wrong_statements(fields)
    at = _time(fields.get("at"))
    if isinstance(fields.get("at"), str) and at is None:
        wrong.append(WrongField(("at",), f"at: not a time; {_TIME}"))
    if wrong or at is None:
        return wrong
    try:
        command = _command(fields)
        machines.for_opening(command)
    except InvalidCommand as error:
        return [_placed(str(error), fields)]
    deadlines = fields.get("deadlines", {}).items()
    return TimedCommand(
        at,
        command,
        dict(fields.get("references", {})),
        {name: end for name, value in deadlines if (end := _time(value))},
    )


def _wrong_names(
    fields: Mapping[str, Any], known: tuple[str, ...]
) -> Iterator[WrongField]:
    for name in fields:
        if name not in known:
            what = f"unknown field {short(name)}; {meant(name, known)}"
            yield WrongField((name,), what, of_name=True)
    for name in _REQUIRED:
        if name not in fields:
            yield WrongField((), f"the field '{name}' is missing; every line needs it")


def _wrong_kinds(fields: Mapping[str, Any]) -> Iterator[WrongField]:
    for name in _TEXTS:
        if name in fields and not isinstance(fields[name], str):
            right = "a text in quotes is right"
            yield WrongField((name,), f"{name}: {kind_of(fields[name])}; {right}")
    if "amount" in fields and type(fields["amount"]) is not int:
        yield WrongField(("amount",), f"amount: {kind_of(fields['amount'])}; {_AMOUNT}")
    if "frequency" in fields:
        yield from _wrong_frequency(("frequency",), fields["frequency"])
    if "parameters" in fields:
        yield from _wrong_parameters(fields["parameters"], fields)


def _wrong_frequency(path: tuple[str, ...], value: object) -> Iterator[WrongField]:
    name = path[-1]
    if not isinstance(value, dict):
        yield WrongField(path, f"{name}: {kind_of(value)}; {_FREQUENCY}")
        return
    for member in value:
        if member not in _MEMBERS:
            what = f"{name}: unknown field {short(member)}; {_FREQUENCY}"
            yield WrongField((*path, member), what, of_name=True)
    for member, kind in _MEMBERS.items():
        if member not in value:
            yield WrongField(path, f"{name}: '{member}' is missing; {_FREQUENCY}")
        elif type(value[member]) is not kind:
            what = f"{name}: {kind_of(value[member])}; {_FREQUENCY}"
            yield WrongField((*path, member), what)


def _wrong_parameters(value: object, fields: Mapping[str, Any]) -> Iterator[WrongField]:
    path = ("parameters",)
    if not isinstance(value, dict):
        right = "an object of names and values is right"
        yield WrongField(path, f"parameters: {kind_of(value)}; {right}")
        return
    if "frequency" in value and "frequency" in fields:
        what = "frequency: given twice, outside and inside of parameters; once is right"
        yield WrongField((*path, "frequency"), what, of_name=True)
    for name, given in value.items():
        if isinstance(given, dict):
            yield from _wrong_frequency((*path, name), given)
        elif given is None or isinstance(given, (int, list, NotWhole)):
            if isinstance(given, bool):
                continue
            right = "a text in quotes, true, false or a frequency is right"
            yield WrongField((*path, name), f"{short(name)}: {kind_of(given)}; {right}")


def _wrong_statements(fields: Mapping[str, Any]) -> Iterator[WrongField]:
    """What is wrong with what the gateway stated."""
    rights = {"references": "a text in quotes is right", "deadlines": _TIME}
    for field, right in rights.items():
        value = fields.get(field, {})
        if not isinstance(value, dict):
            what = f"{field}: {kind_of(value)}; an object by name is right"
            yield WrongField((field,), what)
            continue
        for name, stated in value.items():
            is_text = isinstance(stated, str) and bool(stated)
            if not (is_text if field == "references" else _time(stated)):
                what = f"{short(name)}: not one of {field}; {right}"
                yield WrongField((field, name), what)


def _time(value: object) -> datetime | None:
    """The time in `value`, in UTC; None if it is not one of RFC 3339."""
    if not isinstance(value, str) or _RFC3339.fullmatch(value) is None:
        return None
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _command(fields: Mapping[str, Any]) -> Command:
    parameters = dict(fields.get("parameters", {}))
    if "frequency" in fields:
        parameters["frequency"] = fields["frequency"]
    return Command(
        fields["command"],
        fields["transaction"],
        key=fields["key"],
        lifecycle=fields.get("lifecycle"),
        agreement=fields.get("agreement"),
        amount=fields.get("amount"),
        currency=fields.get("currency"),
        account=fields.get("account"),
        parameters=parameters,
    )


def _placed(message: str, fields: Mapping[str, Any]) -> WrongField:
    """The engine's message, which begins with the field's name, in its place."""
    name = message.partition(":")[0]
    inside = name in fields.get("parameters", {})
    return WrongField(("parameters", name) if inside else (name,), message)
