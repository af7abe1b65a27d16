"""`kessai tx totals`: how much money moved, by day or by month."""

from collections.abc import Sequence

import attrs
import click

from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import print_json, say
from kessai.cli.terminal.stores import opened_store
from kessai.cli.terminal.tables import print_table
from kessai.cli.zones import period_of, period_options
from kessai.export import SPANS, Total, totals
from kessai.words import Words

word = Words("tx")


@click.command("totals")
@period_options
@click.option(
    "--by",
    type=click.Choice(list(SPANS)),
    default="day",
    show_default=True,
    help="A line for each day, or for each month.",
)
@shared_options("db", "json")
def tx_totals(
    asked: Asked, *, since: str | None, until: str | None, zone_name: str, by: str
) -> None:
    """Add up how much money moved, by the days or months of the merchant's zone.

    What is added up are the movements of `kessai export movements`: what was authorized,
    captured, released and refunded, when it was recorded.
    """
    period = period_of(since, until, zone_name)
    with opened_store(asked.db, to_read=True) as store:
        found = list(totals(store, period, asked.language, by))
    if asked.as_json:
        shown = [attrs.asdict(total) for total in found]
        print_json({"by": by, "timezone": zone_name, "totals": shown})
        return
    if not found:
        say(word("none_moved", asked.language))
        return
    _print(found, by, asked.language)


def _print(found: Sequence[Total], by: str, language: str) -> None:
    """Print a line for each total, with its account where there are several."""
    several = len({total.account for total in found}) > 1
    names = [by, *["account"] * several, "amount", "currency", "movements", "total"]
    rows = [
        [
            total.span,
            *[total.account] * several,
            total.amount_title,
            total.currency,
            f"{total.movements:,}",
            f"{total.change:,}",
        ]
        for total in found
    ]
    print_table(word("totals", language), word.each(language, *names), rows, numbers=2)
