"""The entry point: groups of commands, found when asked for; errors to exit codes."""

import sys
from importlib import import_module
from io import StringIO
from typing import Any

import click

from kessai.cli.exits import USAGE, exit_code_of

_COMMANDS = {
    # name: (module, attribute, one line of help for the list)
    "audit": ("kessai.cli.audit", "audit", "Prove that every step was allowed."),
    "demo": ("kessai.cli.demo", "demo", "A payment's whole life, in seconds."),
    "emulator": ("kessai.cli.emulator", "emulator", "A gateway to try things on."),
    "lifecycle": ("kessai.cli.lifecycle", "lifecycle", "The declared rules."),
    "reconcile": (
        "kessai.cli.reconcile",
        "reconcile",
        "Compare every transaction with the gateway.",
    ),
    "recover": ("kessai.cli.recover", "recover", "Look up what has no answer yet."),
    "run": ("kessai.cli.run", "run", "Carry out a file of commands."),
    "sweep": ("kessai.cli.sweep", "sweep", "Move what is overdue."),
    "simulate": (
        "kessai.cli.simulate",
        "simulate_command",
        "Play worlds where everything goes wrong.",
    ),
    "tx": ("kessai.cli.tx", "tx", "Look at transactions, ask, act."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        """The names of all commands, sorted."""
        return sorted(_COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's
        cmd_name: str,
    ) -> click.Command | None:
        """The command of that name, imported now."""
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's
        formatter: click.HelpFormatter,
    ) -> None:
        """List the commands by their one line, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(n, c[2]) for n, c in sorted(_COMMANDS.items())])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kessai")
def cli() -> None:
    """kessai (決済) carries payments through a declared lifecycle.

    Exit codes: 0 done, 2 usage or bad input, 3 denied, 4 an outcome is unknown and left
    open, 5 the audit found a fault.
    """  # noqa: D403 - the name is written so


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run_command(arguments))


def run_command(arguments: list[str] | None = None) -> int:
    """Run one command; its exit code. Errors are told on standard error, in a line."""
    from kessai.errors import KessaiError

    try:
        result: Any = cli.main(arguments, prog_name="kessai", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted; what was begun is in the store", err=True)
        return 130
    except click.ClickException as error:
        told = StringIO()
        error.show(told)
        _tell(told.getvalue())
        return USAGE
    except KessaiError as error:
        _tell(f"kessai: {error}\n")
        return exit_code_of(error)
    return result if isinstance(result, int) else 0


def _tell(text: str) -> None:
    """What was typed may be told again, but no card number among it."""
    from kessai.card_numbers import without_card_numbers

    click.echo(without_card_numbers(text), err=True, nl=False)


if __name__ == "__main__":
    main()
