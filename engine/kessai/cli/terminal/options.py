"""Options that many commands share, declared once."""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import attrs
import click

F = TypeVar("F", bound=Callable[..., Any])


@attrs.frozen
class GatewayChoice:
    """The gateway and the account that were named; None where none was."""

    gateway: str | None
    account: str | None


DEFAULT_DB = "sqlite:///kessai.db"


def _default_language() -> str:
    """Japanese where the locale is Japanese."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(variable):
            return "ja" if value.lower().startswith("ja") else "en"
    return "en"


def db_option(function: F) -> F:
    """`--db URL`: the store."""
    return click.option(
        "--db",
        "db",
        default=DEFAULT_DB,
        envvar="KESSAI_DB",
        show_default=True,
        metavar="URL",
        help="The store: sqlite:///FILE, a path, postgresql://USER@HOST/NAME, or memory:"
        " for a trial.",
    )(function)


def gateway_option(function: F) -> F:
    """`--gateway NAME --account NAME`: who carries commands out, and for whom.

    Both arrive as `asked`, a `GatewayChoice`.
    """

    @wraps(function)
    def choosing(
        *args: Any, gateway: str | None, account: str | None, **options: Any
    ) -> Any:
        return function(*args, asked=GatewayChoice(gateway, account), **options)

    chosen = click.option(
        "--gateway",
        envvar="KESSAI_GATEWAY",
        metavar="NAME",
        help="'emulator' (in this process), or an installed adapter such as"
        " veritrans4g, set up by KESSAI_VERITRANS_… variables. May be left out where"
        " the store holds nothing of another gateway: then it is the emulator.",
    )(choosing)
    return account_option(
        "Refuse if the gateway is set up for another account than this one."
    )(cast("F", chosen))


def account_option(help_text: str) -> Callable[[F], F]:
    """`--account NAME`: whose payments."""
    return click.option(
        "--account", envvar="KESSAI_ACCOUNT", metavar="NAME", help=help_text
    )


def output_options(function: F) -> F:
    """`--json` and `--lang`: for programs, and for people."""
    function = click.option(
        "--json", "as_json", is_flag=True, help="One JSON object on standard output."
    )(function)
    return language_option(function)


def language_option(function: F) -> F:
    """`--lang`: the language of sentences."""
    return click.option(
        "--lang",
        "language",
        type=click.Choice(["en", "ja"]),
        default=_default_language,
        help="Language of sentences; by the locale unless given.",
    )(function)
