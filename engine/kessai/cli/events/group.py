"""`kessai events`: the commands there are."""

import click

from kessai.cli.terminal.lazy import LazyGroup

_COMMANDS = {
    "dead": ("events.dead:dead", "What a webhook's receiver never took."),
    "follow": ("events.follow:follow", "Print every event, and those to come."),
    "replay": ("events.dead:replay", "Send dead letters, or what waits, at once."),
    "send": ("events.send:send", "Send every event to a URL, signed."),
}


@click.group(cls=LazyGroup, commands_at=_COMMANDS)
def events() -> None:
    """Follow what happens to all transactions, or have it sent."""
