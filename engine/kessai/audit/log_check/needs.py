"""What must be given because it cannot be guessed, checked before the log is read."""

from collections.abc import Collection, Mapping

from kessai.audit.log_check.columns import Columns
from kessai.audit.log_check.reading import LogReading
from kessai.audit.log_check.words import shown
from kessai.errors import InvalidInput
from kessai.evidence.outcome import EXPIRE
from kessai.machine import Machine
from kessai.money import Currency


def currencies_of(machines: Mapping[str, Machine]) -> frozenset[Currency]:
    """All currencies of the lifecycles.

    Raises:
        InvalidInput: two count the same money in different units, or there is none.

    """
    if not machines:
        message = "no lifecycle is given to hold the log against"
        raise InvalidInput(message)
    every = (m.lifecycle.currencies.values() for m in machines.values())
    found = frozenset(currency for each in every for currency in each)
    if len({currency.code for currency in found}) < len(found):
        message = (
            "the lifecycles give a currency different digits; check them one by one"
        )
        raise InvalidInput(message)
    return found


def check_needs(
    columns: Columns, machines: Mapping[str, Machine], reading: LogReading
) -> None:
    """Make sure that amounts and opening commands have all that they need.

    Raises:
        InvalidInput: something is missing; the message names what would be right.

    """
    _check_negative(machines, reading)
    currencies = currencies_of(machines)
    if len(currencies) > 1 and "currency" not in columns.places:
        codes = ", ".join(sorted(currency.code for currency in currencies))
        message = f"no column shows which of {codes} it is; say --map currency=COLUMN"
        raise InvalidInput(message)
    amounts = columns.by_command("amount")
    if amounts:
        divided = sorted(c.code for c in currencies if c.digits)
        if divided and reading.unit is None:
            code = divided[0]
            message = (
                f"amounts: 1234 may be minor units of {code} or {code} itself;"
                " say --unit minor, or --unit major for 12.34"
            )
            raise InvalidInput(message)
    if needing := _without_amount(amounts, machines):
        message = (
            f"no column for amount, which {', '.join(needing)} needs; say --map"
            " amount=COLUMN"
        )
        raise InvalidInput(message)
    if "lifecycle" not in columns.places:
        _check_openings(machines)


def _check_negative(machines: Mapping[str, Machine], reading: LogReading) -> None:
    known = sorted({EXPIRE, *(name for m in machines.values() for name in m.commands)})
    for name in reading.negative:
        if name not in known:
            message = (
                f"--negative {shown(name)}: no such command; known: {', '.join(known)}"
            )
            raise InvalidInput(message)


def _without_amount(
    columns: Collection[str | None], machines: Mapping[str, Machine]
) -> list[str]:
    """The commands that need an amount, and have none of the `columns` of amounts."""
    if None in columns:
        return []
    return sorted(
        {
            name
            for machine in machines.values()
            for name, rule in machine.commands.items()
            for amount in (rule.spec.amount or {}).values()
            if amount.default is None and name not in columns
        }
    )


def _check_openings(machines: Mapping[str, Machine]) -> None:
    begins: dict[str, list[str]] = {}
    for machine in machines.values():
        for name, rule in machine.commands.items():
            if rule.spec.is_opening:
                begins.setdefault(name, []).append(machine.name)
    for command, names in begins.items():
        if len(names) > 1:
            message = (
                f"{command} begins {' or '.join(names)}: say --map lifecycle=COLUMN for"
                " the column that shows which, or check them one by one"
            )
            raise InvalidInput(message)
