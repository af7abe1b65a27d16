"""`kessai tx can`: what is possible with a transaction, and why what is not."""

from typing import Any

import attrs
import click

from kessai.cli.terminal import exits
from kessai.cli.terminal.gateways import looking
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import bounds_data, print_json, reasons_data
from kessai.cli.tx.options import Amount, known_command
from kessai.cli.tx.report import print_possibilities
from kessai.cli.tx.view import TransactionView
from kessai.machine import Command, Denial, Possibility, Transaction
from kessai.shell import Engine

_GIVEN_BY_CALLER = frozenset({"parameter_missing", "agreement_missing"})
"""Reasons that `tx can` leaves out: what they ask for is given with the command."""


@click.command("can")
@click.argument("transaction_id", metavar="ID")
@click.argument("command", required=False)
@click.option("--amount", type=Amount(), metavar="N", help="In minor units.")
@shared_options("db", "json")
def tx_can(
    asked: Asked, transaction_id: str, command: str | None, amount: int | None
) -> int:
    """Ask what is possible: exact bounds, or every reason why not.

    With COMMAND the exit code answers: 0 allowed, 3 denied. What only you can know (an
    agreement, a frequency) is taken as given.
    """
    with looking(asked.db) as engine:
        if command is not None:
            known_command(command, engine.machines)
        transaction = engine.transaction(transaction_id)
        view = TransactionView.of(engine, transaction, asked.language)
        possibilities = [
            _with_amount(engine, transaction, possibility, amount)
            for possibility in engine.can(transaction_id, command)
        ]
    if asked.as_json:
        shown = [_possibility_data(p, asked.language) for p in possibilities]
        print_json({"transaction": transaction_id, "commands": shown})
    else:
        print_possibilities(possibilities, view)
    allowed = command is None or possibilities[0].is_allowed
    return exits.DONE if allowed else exits.DENIED


def _with_amount(
    engine: Engine,
    transaction: Transaction,
    possibility: Possibility,
    amount: int | None,
) -> Possibility:
    """`possibility`, asked again with an amount if the command takes one."""
    denial = possibility.denial
    if amount is None or (denial is not None and "not_in_lifecycle" in denial.codes):
        return possibility
    asked = Command(
        possibility.command,
        transaction.id,
        key="-",
        lifecycle=transaction.lifecycle,
        amount=amount,
    )
    return attrs.evolve(possibility, denial=_denial(engine.preview(asked)))


def _denial(denial: Denial | None) -> Denial | None:
    if denial is None:
        return None
    reasons = tuple(r for r in denial.reasons if r.code not in _GIVEN_BY_CALLER)
    return attrs.evolve(denial, reasons=reasons) if reasons else None


def _possibility_data(possibility: Possibility, language: str) -> dict[str, Any]:
    denial = possibility.denial
    why = reasons_data(denial, language) if denial else {"reasons": [], "rules": {}}
    return {
        "command": possibility.command,
        "allowed": possibility.is_allowed,
        "bounds": bounds_data(possibility.bounds),
        "unclaimed": possibility.unclaimed,
        **why,
    }
