"""Options that many commands share, declared once."""

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import attrs
import click

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_DB = "sqlite:///kessai.db"
FIRST_GATEWAY = "veritrans4g"


@attrs.frozen(kw_only=True)
class Asked:
    """What the shared options say; `gateway` and `account` are None where not named."""

    language: str = "en"
    as_json: bool = False
    db: str = DEFAULT_DB
    gateway: str | None = None
    account: str | None = None


def _default_language() -> str:
    """Japanese where the locale is Japanese."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(variable):
            return "ja" if value.lower().startswith("ja") else "en"
    return "en"


def account_option(help_text: str) -> Callable[[F], F]:
    """`--account NAME`: whose payments."""
    return click.option(
        "--account", envvar="KESSAI_ACCOUNT", metavar="NAME", help=help_text
    )


def out_option(help_text: str) -> Callable[[F], F]:
    """`--out FILE --force`: where it is written to, and whether over another file."""

    def decorate(function: F) -> F:
        function = click.option(
            "--force", is_flag=True, help="Replace a file that is there already."
        )(function)
        path = click.Path(path_type=Path, dir_okay=False)
        return click.option("--out", type=path, metavar="FILE", help=help_text)(
            function
        )

    return decorate


def emulated_option(help_text: str) -> Callable[[F], F]:
    """`--gateway NAME`: which gateway's emulator."""
    return click.option(
        "--gateway",
        "emulated",
        default=FIRST_GATEWAY,
        show_default=True,
        metavar="NAME",
        help=f"{help_text} Any installed that has one.",
    )


_SHARED: dict[str, Callable[[Any], Any]] = {
    "db": click.option(
        "--db",
        default=DEFAULT_DB,
        envvar="KESSAI_DB",
        show_default=True,
        metavar="URL",
        help="The store: sqlite:///FILE, a path, postgresql://USER@HOST/NAME, or memory:"
        " for a trial.",
    ),
    "account": account_option(
        "Refuse if the gateway is set up for another account than this one."
    ),
    "gateway": click.option(
        "--gateway",
        envvar="KESSAI_GATEWAY",
        metavar="NAME",
        help="'emulator' (in this process; emulator/NAME for another gateway's than"
        " VeriTrans4G's), or an installed adapter such as"
        " veritrans4g, set up by KESSAI_VERITRANS_… variables. May be left out where"
        " the store holds nothing of another gateway: then it is the emulator.",
    ),
    "json": click.option(
        "--json", "as_json", is_flag=True, help="One JSON object on standard output."
    ),
    "lang": click.option(
        "--lang",
        "language",
        type=click.Choice(["en", "ja"]),
        default=_default_language,
        help="Language of sentences; by the locale unless given.",
    ),
}
_NAMES = [field.name for field in attrs.fields(Asked)]


def shared_options(*names: str) -> Callable[[F], F]:
    """`--lang` and the options in `names`, which the command gets as one `Asked`.

    `db` is the store, `gateway` who carries commands out and `account` for whom; `json`
    is for programs.
    """

    def decorate(function: F) -> F:
        @wraps(function)
        def asking(**given: Any) -> Any:
            asked = Asked(**{name: given.pop(name) for name in _NAMES if name in given})
            return function(asked, **given)

        command: Any = asking
        for name in ("lang", *reversed(names)):
            command = _SHARED[name](command)
        return cast("F", command)

    return decorate
