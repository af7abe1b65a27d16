"""`kessai tx diagram`: a transaction's path through its lifecycle, as a picture."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kessai.cli.lifecycle.drawing import (
    drawing_option,
    drawn,
    format_for,
    put_drawing,
)
from kessai.cli.terminal.gateways import looking
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import note, print_json
from kessai.errors import InvalidInput
from kessai.flow.steps import machine_of
from kessai.machine import read_events
from kessai.shell import Engine
from kessai.words import Words

if TYPE_CHECKING:
    from kessai.diagram import TransactionPath

word = Words("tx")

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
@drawing_option
@shared_options("db", "json")
def tx_diagram(
    asked: Asked,
    *,
    transaction_id: str,
    form: str | None,
    out: Path | None,
    force: bool,
) -> None:
    """Draw where a transaction went, where it is, and where it may go next.

    With --json: the classes and notes of each node and edge, by its id in the SVG.
    """
    from kessai.diagram import render_transaction

    looked_at = sys.stdout.isatty() and out is None and form is None
    usual = "mermaid" if looked_at else "svg"
    chosen = format_for(out, form, usual, FORMATS)
    if asked.as_json and (out or form):
        message = "--json: it goes to standard output, without --format and --out"
        raise InvalidInput(message)
    with looking(asked.db) as engine:
        path = _path(engine, transaction_id)
    language = asked.language
    if asked.as_json:
        print_json(_data(path, language))
        return
    draw = partial(render_transaction, path, language=language)
    drawing = drawn(draw, chosen, out, language)
    put_drawing(drawing, out, language, force=force)
    if looked_at:
        note(word("as_picture", language, name=transaction_id))


def _path(engine: Engine, transaction_id: str) -> "TransactionPath":
    from kessai.diagram import TransactionPath

    transaction = engine.transaction(transaction_id)
    machine = engine.drive(machine_of(engine.context, transaction))
    assert machine is not None  # noqa: S101 - it exists
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
