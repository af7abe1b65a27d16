"""`kessai tx list`: transactions as they stand, a line each."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, get_args

import click

from kessai.cli.terminal.options import Asked, account_option, shared_options
from kessai.cli.terminal.output import print_json, say, transaction_data
from kessai.cli.terminal.stores import opened_store
from kessai.cli.zones import period_of, period_options
from kessai.flow import Search
from kessai.flow.search import MOST_FOUND, By
from kessai.words import Words

if TYPE_CHECKING:
    from kessai.cli.tx.titles import TransactionTitles

word = Words("tx")


@click.command("list")
@click.option(
    "--state",
    "states",
    multiple=True,
    metavar="NAME",
    help="Only those in this state: captured, consent.consented; may be repeated.",
)
@click.option("--lifecycle", help="Only those of this lifecycle, such as one_time.")
@account_option("Only those of this account.")
@period_options
@click.option(
    "--by",
    type=click.Choice(get_args(By)),
    default="changed",
    show_default=True,
    help="Which time --since and --until are about, and the order: the last change, or"
    " the opening.",
)
@click.option("--open", "is_open", is_flag=True, help="Only with an open operation.")
@click.option(
    "--discrepancy", "is_discrepant", is_flag=True, help="Only with a discrepancy."
)
@click.option("--reference", metavar="ID", help="Only with this id from the gateway.")
@click.option(
    "--limit",
    type=click.IntRange(1, MOST_FOUND),
    default=50,
    show_default=True,
    metavar="N",
)
@click.option(
    "--after", metavar="CURSOR", help="Go on after a list that ended with this cursor."
)
@shared_options("db", "json")
def tx_list(
    asked: Asked, *, since: str | None, until: str | None, zone_name: str, **given: Any
) -> None:
    """List transactions, those that changed last first.

    --state captured --since 2026-01-31 --until 2026-02-01 --timezone Asia/Tokyo are those
    that were captured on that day, and have not changed since.
    """
    period = period_of(since, until, zone_name)
    search = Search(
        account=asked.account, since=period.since, until=period.until, **given
    )
    with opened_store(asked.db, to_read=True) as store:
        result = store.search(search)
        found = result.transactions
        if not found or len(search.states) > 1:  # else it is what was found
            from kessai.cli.tx.known import check_names

            check_names(store, search)
        if asked.as_json:
            shown = [transaction_data(transaction) for transaction in found]
            print_json({"transactions": shown, "cursor": result.cursor})
            return
        from kessai.cli.tx.titles import titled  # programs need neither titles

        views = titled(store, found, asked.language)
    _print_list(views, asked.language)
    if result.cursor is not None:
        say(word("more", asked.language, cursor=result.cursor))


def _print_list(found: Sequence["TransactionTitles"], language: str) -> None:
    """Print a line for each transaction, with its account where there are several."""
    from kessai.cli.terminal.tables import print_table  # nor tables

    if not found:
        say(word("none", language))
        return
    amounts = ("authorized", "captured", "refunded")
    several = len({view.transaction.account for view in found}) > 1
    names = ["transaction", *["account"] * several, "lifecycle", "state"]
    headings = [
        *word.each(language, *names),
        *(found[0].amount_title(name) for name in amounts),
        word("open", language),
    ]
    rows = [
        [
            view.transaction.id,
            *[view.transaction.account] * several,
            view.lifecycle,
            view.state(),
            *(view.money(view.transaction.amounts.get(name)) for name in amounts),
            str(len(view.transaction.operations) or ""),
        ]
        for view in found
    ]
    print_table(word("transactions", language), headings, rows, numbers=4)
