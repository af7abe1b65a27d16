"""`kessai tx resume`: sends on what a consumer came back with."""

import click

from kessai.cli.recovery.inquire import resolved
from kessai.cli.terminal.gateways import wired
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.tx.answered import give
from kessai.cli.tx.options import read_texts
from kessai.cli.tx.view import TransactionView


@click.command("resume", short_help="Send on what a consumer came back with.")
@click.argument("transaction_id", metavar="ID")
@click.option(
    "--param",
    "brought",
    multiple=True,
    required=True,
    metavar="NAME=VALUE",
    help="From the query of the page's address; may be repeated.",
)
@shared_options("db", "gateway", "account", "json")
def tx_resume(asked: Asked, transaction_id: str, brought: tuple[str, ...]) -> int:
    """Send on what the consumer of the transaction ID came back with.

    Some gateways, as Amazon Pay, carry nothing out before that. They send the consumer's
    browser to a page of the shop, and add parameters to its address: give those. They are
    stored nowhere. The same ones are sent again only while their outcome is not known.

    Exit codes: 0 succeeded, 3 declined or never sent, 4 pending or unknown.
    """
    parameters = read_texts(brought)
    with wired(asked, on=[transaction_id]) as wiring:
        answer = resolved(wiring, wiring.engine.resume(transaction_id, parameters))
        view = TransactionView.of(wiring.engine, answer.transaction, asked.language)
    return give(answer, view, asked)
