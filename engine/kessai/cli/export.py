"""`kessai export`: transactions, events and movements of money, for other programs."""

from pathlib import Path

import click

from kessai.cli.terminal.exits import DONE
from kessai.cli.terminal.options import Asked, out_option, shared_options
from kessai.cli.terminal.output import note, writing
from kessai.cli.terminal.stores import opened_store
from kessai.cli.zones import period_of, period_options
from kessai.errors import InvalidInput
from kessai.export import EXPORTS, FORMATS, write
from kessai.words import Words

_word = Words("export")


@click.command("export")
@click.argument("what", type=click.Choice(list(EXPORTS)))
@period_options
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="csv",
    show_default=True,
    help="Rows for a spreadsheet, a JSON object a line, or the table `export` of a new"
    " SQLite file.",
)
@out_option(
    "Where to write it; standard output unless given. Whole or not at all, and never"
    " over a database."
)
@shared_options("db")
def export_command(
    asked: Asked,
    what: str,
    zone_name: str,
    *,
    since: str | None,
    until: str | None,
    form: str,
    out: Path | None,
    force: bool,
) -> int:
    """Write transactions, events or movements of money as rows.

    A row of `movements` is one lasting change of an amount: authorized, captured,
    released, refunded. `transactions` are those opened in the period. What counts is
    when it was recorded, so a past period never changes. Rows are sorted by
    transaction; amounts are in minor units, and `shown` has one with its currency.

    No parameters, notes, addresses or operators' names are among them. Exit code 5 and
    nothing written if a trail does not hold.
    """
    period = period_of(since, until, zone_name)
    if form == "sqlite" and (out is None or (out.exists() and not out.is_file())):
        message = "--format sqlite makes a file: give --out FILE"
        raise InvalidInput(message)
    with (
        writing(out, force=force) as file,
        opened_store(asked.db, to_read=True) as store,
    ):
        count = write(EXPORTS[what](store, period, asked.language), form, file)
    if out is not None:
        note(_word("written", asked.language, out=out, count=f"{count:,}"))
    return DONE
