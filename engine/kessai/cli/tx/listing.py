"""`kessai tx list`: transactions as they stand, a line each."""

from collections.abc import Sequence
from itertools import islice

import click

from kessai.cli.terminal.options import Asked, account_option, shared_options
from kessai.cli.terminal.output import print_json, say, transaction_data
from kessai.cli.terminal.stores import opened_store
from kessai.cli.terminal.tables import print_table
from kessai.cli.tx.known import Known
from kessai.cli.tx.titles import TransactionTitles, titled
from kessai.words import Words

word = Words("tx")


@click.command("list")
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
    wanted = {"state": state, "lifecycle": lifecycle, "account": asked.account}
    known = Known()
    with opened_store(asked.db, to_read=True) as store:
        chosen = known.chosen(store.transactions(), wanted)
        found = list(islice(chosen, limit))
        more = next(chosen, None) is not None
        if not found:
            known.check(wanted)
        views = [] if asked.as_json else titled(store, found, asked.language)
    if asked.as_json:
        shown = [transaction_data(transaction) for transaction in found]
        print_json({"transactions": shown, "more": more})
        return
    _print_list(views, asked.language)
    if more:
        say(word("more", asked.language))


def _print_list(found: Sequence[TransactionTitles], language: str) -> None:
    """Print a line for each transaction, with its account where there are several."""
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
