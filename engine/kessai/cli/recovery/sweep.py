"""`kessai sweep`: moves what is overdue, by the deadlines that lifecycles declare."""

import click

from kessai.cli.terminal import exits
from kessai.cli.terminal.gateways import wired
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import print_json, say, transaction_data
from kessai.cli.terminal.stopping import stop_on_signals
from kessai.cli.terminal.tables import print_table
from kessai.cli.tx.view import TransactionView
from kessai.driver import utc_now
from kessai.machine import Transaction
from kessai.stores import Store
from kessai.words import Words

word = Words("recovery")


@click.command(short_help="Move what is overdue, such as old authorizations.")
@shared_options("db", "gateway", "account", "json")
def sweep(asked: Asked) -> int:
    """Move every transaction over the deadlines that have passed.

    An authorization that was neither captured nor cancelled in its thirty days becomes
    expired; never while an operation is open, and not before the gateway was asked.

    Exit codes: 0 all are moved, 130 stopped by Ctrl-C or SIGTERM before the last one.
    """
    moved: list[Transaction] = []
    with wired(asked) as wiring, stop_on_signals() as stop:
        for before in filter(wiring.owns, _overdue(wiring.engine.store)):
            if stop.is_asked:
                break
            after = wiring.engine.sweep(before.id)
            if after.states != before.states:
                moved.append(after)
        views = [
            TransactionView.listed(wiring.engine, t, asked.language) for t in moved
        ]
    if moved or asked.as_json or not stop.is_asked:
        _print(asked, moved, views)
    return stop.ended(exits.DONE, word("stopped", asked.language))


def _print(
    asked: Asked, moved: list[Transaction], views: list[TransactionView]
) -> None:
    language = asked.language
    if asked.as_json:
        print_json({"moved": [transaction_data(transaction) for transaction in moved]})
    elif moved:
        print_table(
            word("lapsed", language),
            word.each(language, "transaction", "state"),
            ([view.transaction.id, view.state()] for view in views),
        )
        say(word("swept", language, count=f"{len(moved):,}"))
    else:
        say(word("nothing_overdue", language))


def _overdue(store: Store) -> list[Transaction]:
    """Those with a deadline in the past; whether it still counts, the flow decides."""
    now = utc_now()
    return [
        transaction
        for transaction in store.transactions()
        if any(ends <= now for ends in transaction.deadlines.values())
    ]
