"""`kessai emulator`: the commands there are."""

import click

from kessai.cli.terminal.lazy import LazyGroup

_COMMANDS = {
    "replay": ("emulator.acts:replay", "Send a notification again."),
    "serve": ("emulator.serve:serve_command", "Serve the emulator on loopback."),
    "trigger": ("emulator.acts:trigger", "Let a notification come about."),
}


@click.group(cls=LazyGroup, commands_at=_COMMANDS)
def emulator() -> None:
    """A gateway to try things on: no account, no network, no money."""
