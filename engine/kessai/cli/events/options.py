"""What the commands of `kessai events` have in common."""

import re
from collections.abc import Callable
from typing import Any

import click

from kessai.cli.terminal.output import note
from kessai.cli.terminal.stopping import Stop
from kessai.errors import SafeToResend
from kessai.limits import FOLLOW_SECONDS

_WEBHOOKS = "webhooks "
_NAME = re.compile(r"\w[\w.-]{0,99}")


def named(_: click.Context, __: click.Parameter, name: str | None) -> str | None:
    """The name of a subscriber, as an option has it."""
    if name is not None and not _NAME.fullmatch(name):
        message = "letters, digits, '.', '_' and '-' are right, at most 100"
        raise click.BadParameter(message)
    return name


def of_webhooks(name: str) -> str:
    """The name under which `send` stores how far it is: `follow` has its own of it."""
    return f"{_WEBHOOKS}{name}"


def as_webhooks(stored: str) -> str:
    """The name of the webhooks that are stored so; empty if it is a follower's."""
    return stored.removeprefix(_WEBHOOKS) if stored.startswith(_WEBHOOKS) else ""


subscriber_option = click.option(
    "--subscriber",
    required=True,
    metavar="NAME",
    callback=named,
    help="Under which name it is stored how far it is.",
)

once_option = click.option(
    "--once", is_flag=True, help="What there is now; else until stopped."
)


def until_stopped(act: Callable[[], Any], stop: Stop, *, once: bool) -> None:
    """Do it again and again, with a rest; or `once`, and then let it fail."""
    while not stop.is_asked:
        try:
            act()
        except SafeToResend as error:  # the store is busy, or another was faster
            if once:
                raise
            note(f"kessai: {error}")
        if once or not stop.rest(FOLLOW_SECONDS):
            break
