"""`kessai tx do`: one command, carried out."""

from typing import Any
from uuid import uuid4  # noqa: TID251 - the shell makes identifiers

import click

from kessai.cli.recovery.inquire import resolved
from kessai.cli.terminal import exits
from kessai.cli.terminal.gateways import looking, wired
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import denial_data, note, print_json, say
from kessai.cli.tx.answered import give
from kessai.cli.tx.options import Amount, known_command, read_parameters
from kessai.cli.tx.report import print_denial
from kessai.cli.tx.view import TransactionView
from kessai.machine import Command, Machines
from kessai.shell import shipped_lifecycles
from kessai.words import Words

word = Words("tx")


@click.command("do")
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
    return give(answer, view, asked)


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
