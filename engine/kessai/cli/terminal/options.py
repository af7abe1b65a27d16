"""Options that many commands share, declared once."""

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

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
    """`--gateway NAME`: who carries commands out."""
    return click.option(
        "--gateway",
        default="emulator",
        envvar="KESSAI_GATEWAY",
        show_default=True,
        metavar="NAME",
        help="'emulator' (in this process), or an installed adapter such as"
        " veritrans4g, set up by KESSAI_VERITRANS_… variables.",
    )(function)


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
