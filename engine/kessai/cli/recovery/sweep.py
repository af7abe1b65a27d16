"""`kessai sweep`: moves what is overdue, by the deadlines that lifecycles declare."""

import click

from kessai.cli.terminal import exits
from kessai.cli.terminal.gateways import wired
from kessai.cli.terminal.options import (
    GatewayChoice,
    db_option,
    gateway_option,
    output_options,
)
from kessai.cli.terminal.output import print_json, say, transaction_data
from kessai.cli.terminal.stopping import stop_on_signals
from kessai.cli.terminal.tables import print_table
from kessai.driver import utc_now
from kessai.machine import Transaction
from kessai.shell import Engine
from kessai.stores import Store
from kessai.words import Words

word = Words("recovery")


@click.command(short_help="Move what is overdue, such as old authorizations.")
@db_option
@gateway_option
@output_options
def sweep(*, db: str, asked: GatewayChoice, language: str, as_json: bool) -> int:
    """Move every transaction over the deadlines that have passed.

    An authorization that was neither captured nor cancelled in its thirty days becomes
    expired; never while an operation is open, and not before the gateway was asked.
    """
    with wired(db, asked, language) as wiring, stop_on_signals() as stop:
        moved: list[Transaction] = []
        for before in filter(wiring.owns, _overdue(wiring.engine.store)):
            if stop.is_asked:
                break
            moved += _moved(wiring.engine, before)
    if as_json:
        print_json({"moved": [transaction_data(transaction) for transaction in moved]})
        return exits.DONE
    if moved:
        names = ("transaction", "state")
        print_table(
            word("lapsed", language),
            [word(name, language) for name in names],
            ([transaction.id, transaction.status] for transaction in moved),
        )
    say(word("swept", language, count=f"{len(moved):,}"))
    return exits.DONE


def _overdue(store: Store) -> list[Transaction]:
    """Those with a deadline in the past; whether it still counts, the flow decides."""
    now = utc_now()
    return [
        transaction
        for transaction in store.transactions()
        if any(ends <= now for ends in transaction.deadlines.values())
    ]


def _moved(engine: Engine, before: Transaction) -> list[Transaction]:
    after = engine.sweep(before.id)
    return [after] if after.states != before.states else []
