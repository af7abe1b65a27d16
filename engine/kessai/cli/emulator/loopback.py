"""Where an emulator is served and whom it may call: on this machine alone."""

from typing import Final
from urllib.parse import urlsplit

import click

PORT: Final = 8089
"""Where an emulator listens, unless another is asked for."""

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def on_this_machine(
    _context: click.Context, _option: object, url: str | None
) -> str | None:
    """A URL on loopback, as an option has it: test notifications go nowhere else."""
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or parts.hostname not in _LOOPBACK:
        message = "a URL on this machine is right: http://127.0.0.1:8000/hook"
        raise click.BadParameter(message)
    return url
