"""`kessai tx diagram`: a transaction's path through its lifecycle, as a picture."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kessai.cli.lifecycle.drawing import drawn, format_for, out_option, put_drawing
from kessai.cli.terminal.gateways import looking
from kessai.cli.terminal.machines import machine_of
from kessai.cli.terminal.options import db_option, output_options
from kessai.cli.terminal.output import print_json
from kessai.cli.tx.words import word
from kessai.errors import InvalidInput, UnknownLifecycle
from kessai.machine import Machines, read_events
from kessai.shell import Engine, shipped_lifecycles

if TYPE_CHECKING:
    from kessai.diagram import TransactionPath

FORMATS = ("svg", "mermaid")
"""Those of `kessai.diagram`, which is imported when something is drawn."""


@click.command("diagram")
@click.argument("transaction_id", metavar="ID")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="svg unless given; on a terminal mermaid, which can be read there.",
)
@out_option
@db_option
@output_options
def tx_diagram(
    *,
    transaction_id: str,
    form: str | None,
    out: Path | None,
    db: str,
    language: str,
    as_json: bool,
) -> None:
    """Draw where a transaction went, where it is, and where it may go next.

    With --json: the classes and notes of each node and edge, by its id in the SVG.
    """
    from kessai.diagram import render_transaction

    looked_at = sys.stdout.isatty() and out is None and form is None
    usual = "mermaid" if looked_at else "svg"
    chosen = format_for(out, form, usual, FORMATS)
    if as_json and (out or form):
        message = "--json: it goes to standard output, without --format and --out"
        raise InvalidInput(message)
    with looking(db) as engine:
        path = _path(engine, transaction_id)
    if as_json:
        print_json(_data(path, language))
        return
    draw = partial(render_transaction, path, language=language)
    put_drawing(drawn(draw, chosen, out, language), out, language)
    if looked_at:
        click.echo(word("as_picture", language, name=transaction_id), err=True)


def _path(engine: Engine, transaction_id: str) -> "TransactionPath":
    from kessai.diagram import TransactionPath

    transaction = engine.transaction(transaction_id)
    machine = machine_of(engine.store, Machines(shipped_lifecycles()), transaction)
    if machine is None:
        message = f"lifecycle {transaction.lifecycle_hash}: it is not in the store"
        raise UnknownLifecycle(message)
    return TransactionPath(
        lifecycle=machine.lifecycle,
        transaction=transaction,
        events=list(read_events(engine.store.records(transaction_id))),
        possibilities=engine.can(transaction_id),
    )


def _data(path: "TransactionPath", language: str) -> dict[str, object]:
    from kessai.diagram import marks_of

    return {
        "transaction": path.transaction.id,
        "lifecycle": path.lifecycle.name,
        "marks": {
            named: {"classes": mark.classes, "notes": mark.notes, "sign": mark.sign}
            for named, mark in marks_of(path, language).items()
        },
    }
