"""The entry point: the commands there are; errors to exit codes."""

import sys
import warnings
from io import StringIO, TextIOWrapper
from typing import Any

import click

from kessai.cli.terminal.exits import STOPPED, USAGE, exit_code_of
from kessai.cli.terminal.lazy import LazyGroup

_COMMANDS = {
    "audit": ("audit.group:audit", "Prove that every step was allowed."),
    "demo": ("demo.command:demo", "A payment's whole life, in seconds."),
    "emulator": ("emulator:emulator", "A gateway to try things on."),
    "export": ("export:export_command", "Rows for other programs."),
    "lifecycle": ("lifecycle.command:lifecycle", "The declared rules."),
    "prove": ("prove.command:prove_command", "Prove that the rules are right."),
    "reconcile": (
        "recovery.reconcile:reconcile",
        "Compare every transaction with the gateway.",
    ),
    "recover": ("recovery.recover:recover", "Find out what has no answer yet."),
    "run": ("run.command:run", "Carry out a file of commands."),
    "sweep": ("recovery.sweep:sweep", "Move what is overdue."),
    "simulate": (
        "simulate.command:simulate_command",
        "Run worlds where everything goes wrong.",
    ),
    "tx": ("tx.group:tx", "Look at transactions, ask, act."),
}


@click.group(
    cls=LazyGroup,
    commands_at=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="kessai")
def cli() -> None:
    """kessai (決済) carries payments through a declared lifecycle.

    Exit codes: 0 done, 2 usage or bad input, 3 denied, 4 an outcome is unknown and left
    open, or a rule is not proved, 5 an audit found a fault, or a rule is wrong.
    """  # noqa: D403 - the name is written so


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run_command(arguments))


def run_command(arguments: list[str] | None = None) -> int:
    """Run one command; its exit code. An error is a line on standard error."""
    from kessai.errors import KessaiError

    if isinstance(sys.stdout, TextIOWrapper):  # what it cannot show is replaced
        sys.stdout.reconfigure(errors="replace")
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            result: Any = cli.main(arguments, prog_name="kessai", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted; what was begun is in the store", err=True)
        return STOPPED
    except click.ClickException as error:
        shown = StringIO()
        error.show(shown)
        _print_error(shown.getvalue())
        return USAGE
    except KessaiError as error:
        _print_error(f"kessai: {error}\n")
        return exit_code_of(error)
    return result if isinstance(result, int) else 0


def _show_warning(message: Warning | str, *_where: object, **_how: object) -> None:
    """A warning is a line, not a piece of the source."""
    click.secho(f"kessai: {message}", err=True, dim=True)


def _print_error(text: str) -> None:
    """Print `text`, which may repeat what was typed, without the card numbers in it."""
    from kessai.card_numbers import without_card_numbers

    click.echo(without_card_numbers(text), err=True, nl=False)


if __name__ == "__main__":
    main()
