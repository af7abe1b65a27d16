"""`kessai tx`: look at transactions, ask what is possible, act."""

import click

from kessai.cli.terminal.lazy import LazyGroup

_COMMANDS = {
    "abandon": ("tx.abandon:tx_abandon", "End a checkout whose page is lost."),
    "can": ("tx.can:tx_can", "Ask what is possible, and why not."),
    "close": ("tx.resolve:tx_close", "Close an open discrepancy."),
    "diagram": ("tx.diagram:tx_diagram", "Draw the path of a transaction."),
    "do": ("tx.do:tx_do", "Carry out a command."),
    "list": ("tx.listing:tx_list", "List transactions, what changed last first."),
    "resolve": ("tx.resolve:tx_resolve", "State the outcome of an open operation."),
    "resume": ("tx.resume:tx_resume", "Send on what a consumer came back with."),
    "totals": ("tx.totals:tx_totals", "Add up how much money moved, by day or month."),
    "show": ("tx.show:tx_show", "Show how a transaction stands."),
}


@click.group(
    cls=LazyGroup, commands_at=_COMMANDS, short_help="Look at transactions, ask, act."
)
def tx() -> None:
    """Look at transactions, ask what is possible, act."""
