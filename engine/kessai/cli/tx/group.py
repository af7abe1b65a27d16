"""`kessai tx`: look at transactions, ask what is possible, act."""

from itertools import islice
from typing import Any
from uuid import uuid4  # noqa: TID251 - the shell makes identifiers

import attrs
import click

from kessai.cli.recovery.inquire import OPEN, resolved
from kessai.cli.terminal import exits
from kessai.cli.terminal.gateways import looking, wired
from kessai.cli.terminal.json_line import short
from kessai.cli.terminal.options import Asked, account_option, shared_options
from kessai.cli.terminal.output import (
    answer_data,
    bounds_data,
    denial_data,
    failure_data,
    note,
    print_json,
    reasons_data,
    say,
    transaction_data,
)
from kessai.cli.terminal.streams import output_failed
from kessai.cli.tx.abandon import tx_abandon
from kessai.cli.tx.diagram import tx_diagram
from kessai.cli.tx.known import Known
from kessai.cli.tx.options import Amount, known_command, read_parameters
from kessai.cli.tx.report import (
    print_answer,
    print_denial,
    print_list,
    print_possibilities,
    print_trail,
    print_transaction,
)
from kessai.cli.tx.resolve import tx_close, tx_resolve
from kessai.cli.tx.trail import read_rows, row_data, trail_rules
from kessai.cli.tx.view import TransactionView
from kessai.errors import UnknownTransaction
from kessai.flow import Answer, Status
from kessai.machine import Command, Denial, Machines, Possibility, Transaction
from kessai.machine.command import is_id
from kessai.shell import Engine, shipped_lifecycles
from kessai.words import Words

word = Words("tx")

_GIVEN_BY_CALLER = frozenset({"parameter_missing", "agreement_missing"})
"""Reasons that `tx can` leaves out: what they ask for is given with the command."""


@click.group(short_help="Look at transactions, ask, act.")
def tx() -> None:
    """Look at transactions, ask what is possible, act."""


tx.add_command(tx_abandon)
tx.add_command(tx_resolve)
tx.add_command(tx_close)
tx.add_command(tx_diagram)


@tx.command("list")
@click.option("--state", help="Only those in this state: captured, consent.consented.")
@click.option("--lifecycle", help="Only those of this lifecycle, such as one_time.")
@account_option("Only those of this account.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, metavar="N"
)
@shared_options("db", "json")
def tx_list(
    asked: Asked, *, state: str | None, lifecycle: str | None, limit: int
) -> None:
    """List transactions, sorted by id."""
    with looking(asked.db) as engine:
        wanted = {"state": state, "lifecycle": lifecycle, "account": asked.account}
        known = Known.of(engine.machines)
        chosen = known.chosen(engine.store.transactions(), wanted)
        found = list(islice(chosen, limit))
        more = next(chosen, None) is not None
        if not found:
            known.check(wanted)
        if asked.as_json:
            shown = [transaction_data(transaction) for transaction in found]
            print_json({"transactions": shown, "more": more})
            return
        views = [TransactionView.listed(engine, each, asked.language) for each in found]
    print_list(views, asked.language)
    if more:
        say(word("more", asked.language))


@tx.command("show")
@click.argument("transaction_id", metavar="ID")
@click.option("--events", is_flag=True, help="With the whole audit trail.")
@shared_options("db", "json")
def tx_show(asked: Asked, transaction_id: str, *, events: bool) -> None:
    """Show how a transaction stands: states, amounts, deadlines, what is still open."""
    with looking(asked.db) as engine:
        store = engine.store
        known = is_id(transaction_id)  # no store can be asked for another
        transaction = known and store.load(None, transaction_id, None).transaction
        if not transaction:
            message = f"there is no transaction {short(transaction_id)}"
            raise UnknownTransaction(message)
        view = TransactionView.of(engine, transaction, asked.language)
        records = store.records(transaction_id) if events else []
        rows = read_rows(records, view.machine)
        failure = store.recovery_failure(transaction_id)
    if asked.as_json:
        data = transaction_data(transaction)
        data["recovery_failure"] = failure_data(failure)
        if events:
            data["events"] = [row_data(row) for row in rows]
            data["rules"] = trail_rules(rows, view.machine, asked.language)
        print_json(data)
        return
    print_transaction(view, failure=failure)
    if events:
        print_trail(rows, view)


@tx.command("can")
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


@tx.command("do")
@click.argument("transaction_id", metavar="ID")
@click.argument("command")
@click.option("--amount", type=Amount(), metavar="N", help="In minor units.")
@click.option(
    "--currency", metavar="CODE", help="Such as JPY, where there are several."
)
@click.option("--key", help="Makes it idempotent; made up and shown unless given.")
@click.option("--lifecycle", metavar="NAME", help="Needed by authorize.")
@click.option("--agreement", metavar="ID", help="Needed by reauthorize.")
@click.option(
    "--param",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="Such as note=thanks or with_capture=true; may be repeated.",
)
@click.option("--frequency", metavar="UNIT:N", help="Such as Month:1.")
@click.option("--dry-run", is_flag=True, help="Only ask: write and send nothing.")
@shared_options("db", "gateway", "account", "json")
def tx_do(
    asked: Asked,
    *,
    transaction_id: str,
    command: str,
    parameters: tuple[str, ...],
    frequency: str | None,
    dry_run: bool,
    key: str | None,
    **fields: Any,
) -> int:
    """Carry out COMMAND on the transaction ID.

    The same KEY with the same request gives the recorded answer and sends nothing, so
    after an interruption run it again with the key that was shown.

    Exit codes: 0 succeeded, 3 denied, declined or never sent, 4 pending or unknown, 6
    succeeded, but standard output could not be written.
    """
    machines = Machines(shipped_lifecycles())
    known_command(command, machines.current)
    made_up = str(uuid4())
    request = Command(
        command,
        transaction_id,
        key=made_up if key is None else key,
        parameters=read_parameters(parameters, frequency, machines.current),
        **fields,
    )
    opens = machines.for_opening(request) is not None
    if dry_run:
        return _preview(request, asked, must_exist=not opens)
    if key is None:
        # Before anything is sent: whoever is interrupted needs it to ask again.
        note(f"key: {made_up}")
    on = [name for name in (transaction_id, request.agreement) if name is not None]
    with wired(asked, on=on, may_make=opens) as wiring:
        answer = resolved(wiring, wiring.engine.execute(request))
        view = TransactionView.of(wiring.engine, answer.transaction, asked.language)
    if asked.as_json:
        data = answer_data(answer, asked.language)
        print_json({**data, "disclosed": answer.disclosed})
    else:
        print_answer(answer, view)
    if output_failed():
        note(f"kessai: what was done is in the store under key {answer.key}")
    return _exit(answer)


def _preview(request: Command, asked: Asked, *, must_exist: bool) -> int:
    with looking(asked.db, must_exist=must_exist) as engine:
        denial = engine.preview(request)
    if asked.as_json:
        shown = denial_data(denial, asked.language)
        print_json({"dry_run": True, "allowed": denial is None, "denial": shown})
    elif denial is None:
        say(word("dry_run", asked.language))
    else:
        say(word("denied", asked.language))
        print_denial(denial, asked.language)
    return exits.DONE if denial is None else exits.DENIED


def _exit(answer: Answer) -> int:
    if answer.status in OPEN:
        return exits.UNKNOWN
    return exits.DONE if answer.status is Status.SUCCEEDED else exits.DENIED


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
        "unclaimed": [attrs.asdict(one) for one in possibility.unclaimed],
        **why,
    }
