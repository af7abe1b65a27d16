"""`kessai tx show`: how a transaction stands, and its trail."""

import click

from kessai.cli.terminal.gateways import looking
from kessai.cli.terminal.json_line import short
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import failure_data, print_json, transaction_data
from kessai.cli.tx.report import print_trail, print_transaction
from kessai.cli.tx.trail import read_rows, row_data, trail_rules
from kessai.cli.tx.view import TransactionView
from kessai.errors import UnknownTransaction
from kessai.flow.steps import gone_to_archive
from kessai.ids import is_id


@click.command("show")
@click.argument("transaction_id", metavar="ID")
@click.option("--events", is_flag=True, help="With the whole audit trail.")
@shared_options("db", "json")
def tx_show(asked: Asked, transaction_id: str, *, events: bool) -> None:
    """Show how a transaction stands: states, amounts, deadlines, what is still open."""
    with looking(asked.db) as engine:
        store = engine.store
        known = is_id(transaction_id)  # no store can be asked for another
        transaction = known and store.load(None, transaction_id, None).transaction
        if not transaction:
            message = f"there is no transaction {short(transaction_id)}"
            raise UnknownTransaction(message)
        if transaction.is_removed:
            raise gone_to_archive(transaction)
        view = TransactionView.of(engine, transaction, asked.language)
        records = store.records(transaction_id) if events else []
        rows = read_rows(records, view.machine)
        failure = store.recovery_failure(transaction_id)
    if asked.as_json:
        data = transaction_data(transaction)
        data["recovery_failure"] = failure_data(failure)
        if events:
            data["events"] = [row_data(row) for row in rows]
            data["rules"] = trail_rules(rows, view.machine, asked.language)
        print_json(data)
        return
    print_transaction(view, failure=failure)
    if events:
        print_trail(rows, view)
