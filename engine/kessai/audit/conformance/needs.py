"""What must be said of a log because it cannot be guessed, asked before it is read."""

from collections.abc import Mapping

from kessai.audit.conformance.columns import Columns
from kessai.audit.conformance.reading import Reading
from kessai.audit.conformance.words import shown
from kessai.errors import InvalidInput
from kessai.evidence.outcome import EXPIRE
from kessai.machine import Machine
from kessai.money import minor_digits


def check_currency(machines: Mapping[str, Machine]) -> None:
    """Make sure that all lifecycles count the same money.

    Raises:
        InvalidInput: they do not, or there is none.

    """
    if not machines:
        message = "no lifecycle is given to hold the log against"
        raise InvalidInput(message)
    if len({m.lifecycle.currency for m in machines.values()}) > 1:
        message = "the lifecycles are in different currencies; check them one by one"
        raise InvalidInput(message)


def check_needs(
    columns: Columns, machines: Mapping[str, Machine], reading: Reading
) -> None:
    """Make sure that all is there, or was said, which amounts and applications need.

    Raises:
        InvalidInput: something is not; the message says what would be right.

    """
    _check_negative(machines, reading)
    currency = next(iter(machines.values())).lifecycle.currency
    if "amount" in columns.places:
        if minor_digits(currency) and reading.unit is None:
            message = (
                f"amounts: 1234 may be minor units of {currency} or {currency} itself;"
                " say --unit minor, or --unit major for 12.34"
            )
            raise InvalidInput(message)
    elif needing := _without_default(machines):
        message = (
            f"no column for amount, which {', '.join(needing)} needs; say --map"
            " amount=COLUMN"
        )
        raise InvalidInput(message)
    if "lifecycle" not in columns.places:
        _check_applications(machines)


def _check_negative(machines: Mapping[str, Machine], reading: Reading) -> None:
    known = sorted({EXPIRE, *(name for m in machines.values() for name in m.commands)})
    for name in reading.negative:
        if name not in known:
            message = (
                f"--negative {shown(name)}: no such command; known: {', '.join(known)}"
            )
            raise InvalidInput(message)


def _without_default(machines: Mapping[str, Machine]) -> list[str]:
    return sorted(
        {
            name
            for machine in machines.values()
            for name, rule in machine.commands.items()
            if rule.spec.amount is not None and rule.spec.amount.default is None
        }
    )


def _check_applications(machines: Mapping[str, Machine]) -> None:
    begins: dict[str, list[str]] = {}
    for machine in machines.values():
        for name, rule in machine.commands.items():
            if rule.spec.is_application:
                begins.setdefault(name, []).append(machine.name)
    for command, names in begins.items():
        if len(names) > 1:
            message = (
                f"{command} begins {' or '.join(names)}: say --map lifecycle=COLUMN for"
                " the column that tells which, or check them one by one"
            )
            raise InvalidInput(message)
