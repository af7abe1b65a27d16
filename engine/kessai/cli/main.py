"""The entry point: the commands there are; errors to exit codes."""

import sys
import warnings
from io import StringIO
from typing import Any

import click

from kessai.cli.terminal.exits import DONE, STOPPED, UNSHOWN, USAGE, exit_code_of
from kessai.cli.terminal.lazy import LazyGroup
from kessai.cli.terminal.streams import guarded_streams

_COMMANDS = {
    "archive": (
        "retention.archive:archive_command",
        "Move what has ended to a file.",
    ),
    "audit": ("audit.group:audit", "Prove that every step was allowed."),
    "bill": ("bill.group:bill", "Charge agreements, each once in a period."),
    "demo": ("demo.command:demo", "A payment's whole life, in seconds."),
    "emulator": ("emulator.group:emulator", "A gateway to try things on."),
    "events": ("events.group:events", "What happened, to follow or to be sent."),
    "export": ("export:export_command", "Rows for other programs."),
    "forget": ("retention.forget:forget", "Remove personal texts."),
    "import": ("importing:import_command", "Take over what began elsewhere."),
    "lifecycle": ("lifecycle.command:lifecycle", "The declared rules."),
    "listen": (
        "emulator.listen:listen_command",
        "A running emulator's notifications, as they come.",
    ),
    "prove": ("prove.command:prove_command", "Prove that the rules are right."),
    "reconcile": (
        "recovery.reconcile:reconcile",
        "Compare every transaction with the gateway.",
    ),
    "recover": ("recovery.recover:recover", "Find out what has no answer yet."),
    "run": ("run.command:run", "Carry out a file of commands."),
    "schema": ("schema:schema_command", "The tables, as SQL for a migration."),
    "sweep": ("recovery.sweep:sweep", "Move what is overdue."),
    "simulate": (
        "simulate.command:simulate_command",
        "Run worlds where everything goes wrong.",
    ),
    "tx": ("tx.group:tx", "Look at transactions, ask, act."),
}

_TAB = 4


@click.group(
    cls=LazyGroup,
    commands_at=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="kessai")
def cli() -> None:
    """kessai (決済) carries payments through a declared lifecycle.

    Exit codes: 0 done, 2 usage or bad input, or a log that cannot all be read, 3 denied
    or declined, 4 an outcome is unknown and left open, the gateway's books differ, or a
    rule is not proved, 5 an audit found a fault, or a rule is wrong, 6 done, but
    standard output could not be written, 130 stopped by Ctrl-C. A reader that leaves
    (| head) changes none of them. 1 is a fault of kessai's own: please report it.
    """  # noqa: D403 - the name is written so


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run_command(arguments))


def run_command(arguments: list[str] | None = None) -> int:
    """Run one command; its exit code.

    An error is a line on standard error; under `--json` standard output has it, too.
    """
    given = sys.argv[1:] if arguments is None else arguments
    with guarded_streams(_say_unshown) as out:
        code = _run(given)
    return UNSHOWN if code == DONE and out.failure else code


def _run(given: list[str]) -> int:
    from kessai.errors import InvalidCommandFile, KessaiError

    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            result: Any = cli.main(given, prog_name="kessai", standalone_mode=False)
    except click.exceptions.Abort as error:
        text = "interrupted; what was begun is in the store"
        return _refused(error, text, STOPPED, given)
    except click.ClickException as error:
        shown = StringIO()
        error.show(shown)
        usage = shown.getvalue().expandtabs(_TAB)  # click indents choices by tabs
        return _refused(error, usage + _hint(error), USAGE, given)
    except KessaiError as error:
        is_located = isinstance(error, InvalidCommandFile)  # each line names its place
        text = str(error) if is_located else f"kessai: {error}"
        return _refused(error, text, exit_code_of(error), given)
    return result if isinstance(result, int) else DONE


def _hint(error: click.ClickException) -> str:
    """What helps where an id was taken for an option."""
    context = error.ctx if isinstance(error, click.NoSuchOption) else None
    if context is None or not any(
        "ID" in (p.metavar or "") for p in context.command.params
    ):
        return ""
    return "An id that begins with - stands behind --: the last of the options.\n"


def _refused(error: Exception, text: str, code: int, arguments: list[str]) -> int:
    from kessai.cli.terminal.output import error_data, note, print_json

    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    note(text.rstrip("\n"))
    if "--json" in options:
        print_json({"error": {**error_data(error), "exit_code": code}})
    return code


def _say_unshown(error: OSError) -> None:
    from kessai.cli.terminal.output import note

    note(f"kessai: standard output: {error.strerror}; what the command does is done")


def _show_warning(message: Warning | str, *_where: object, **_how: object) -> None:
    """A warning is a line, not a piece of the source."""
    from kessai.cli.terminal.output import note

    note(f"kessai: {message}")


if __name__ == "__main__":
    main()
