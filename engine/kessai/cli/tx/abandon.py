"""`kessai tx abandon`: ends a checkout whose consumer can finish it no more."""

import click

from kessai.cli.terminal import exits
from kessai.cli.terminal.gateways import wired
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import answer_data, print_json, say
from kessai.cli.tx.report import print_answer
from kessai.cli.tx.view import TransactionView
from kessai.flow import Status
from kessai.flow.answer import OPEN
from kessai.words import Words

word = Words("tx")


@click.command("abandon", short_help="End a checkout whose page is lost.")
@click.argument("transaction_id", metavar="ID")
@shared_options("db", "gateway", "account", "json")
def tx_abandon(asked: Asked, transaction_id: str) -> int:
    """End a checkout whose consumer can finish it no more, as when its page is lost.

    The gateway is asked first: whoever has approved by now has paid. An approval that
    comes later is a discrepancy. The gateway takes an order id once, so open the next
    payment under another, such as ID-2.

    Exit codes: 0 it has ended and nothing is paid, 3 it was approved, 4 still open.
    """
    with wired(asked, on=[transaction_id]) as wiring:
        answer = wiring.engine.abandon(transaction_id)
        view = TransactionView.of(wiring.engine, answer.transaction, asked.language)
    if asked.as_json:
        print_json(answer_data(answer, asked.language))
    else:
        print_answer(answer, view)
        if answer.status in OPEN:
            say(word("not_abandoned", asked.language))
    if answer.status in OPEN:
        return exits.UNKNOWN
    return exits.DENIED if answer.status is Status.SUCCEEDED else exits.DONE
