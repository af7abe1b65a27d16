"""The commands of `kessai bill`."""

import click

from kessai.cli.terminal.lazy import LazyGroup

_COMMANDS = {
    "plan": ("bill.plan:plan", "Write what a run is to charge."),
    "report": ("bill.report:report", "Compare a run with the gateway's books."),
    "run": ("bill.run:run", "Charge what is due of a run."),
    "status": ("bill.report:status", "How far a run is."),
}


@click.group(cls=LazyGroup, commands_at=_COMMANDS)
def bill() -> None:
    """Charge agreements, each once in a period."""
