"""`kessai export`: transactions, events and movements of money, for other programs."""

from pathlib import Path

import click

from kessai.cli.terminal.exits import DONE
from kessai.cli.terminal.options import Asked, out_option, shared_options
from kessai.cli.terminal.output import note, writing
from kessai.cli.terminal.stores import opened_store
from kessai.cli.zones import moment_of, zone_of
from kessai.errors import InvalidInput
from kessai.export import EXPORTS, FORMATS, Period, write
from kessai.words import Words

_word = Words("export")


@click.command("export")
@click.argument("what", type=click.Choice(list(EXPORTS)))
@click.option(
    "--since",
    metavar="TIME",
    help="From then on: a day such as 2026-01-01, or a moment.",
)
@click.option(
    "--until",
    metavar="TIME",
    help="Before then: --since 2026-01-01 --until 2026-02-01 is all of January.",
)
@click.option(
    "--timezone",
    "zone_name",
    default="UTC",
    show_default=True,
    metavar="ZONE",
    help="The zone in which days begin and times are written: Asia/Tokyo, +09:00.",
)
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
    zone = zone_of(zone_name)
    period = Period(
        zone,
        None if since is None else moment_of(since, zone, "--since"),
        None if until is None else moment_of(until, zone, "--until"),
    )
    if period.since and period.until and period.since >= period.until:
        message = f"--until {until}: not after --since {since}, so nothing lies between"
        raise InvalidInput(message)
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
