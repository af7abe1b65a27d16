"""`kessai run`: carries out a file of commands, and reports the outcomes."""

import time
from datetime import UTC, datetime
from functools import partial

import click

from kessai.cli.run.accounts import OfAccount, wrong_owner
from kessai.cli.run.carry_out import Halt, RunClock, carry_out
from kessai.cli.run.command_file import opened
from kessai.cli.run.report import print_totals, word
from kessai.cli.run.totals import Totals, count, totals_data
from kessai.cli.terminal import exits
from kessai.cli.terminal.gateways import is_emulator, wired
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import error_data, note, print_json, say
from kessai.cli.terminal.progress import progress
from kessai.cli.terminal.stopping import stop_on_signals
from kessai.driver import utc_now
from kessai.machine import Machines
from kessai.shell import shipped_lifecycles

_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)  # no line has set the clock yet


@click.command(short_help="Carry out a file of commands.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@shared_options("db", "gateway", "account", "json")
def run(asked: Asked, file: str) -> int:
    """Carry out the commands in FILE, one JSON object a line; - is standard input.

    \b
    Each line has   at (when it is asked) key command transaction
    and may have    lifecycle agreement amount currency account frequency parameters

    The whole file is checked first, whose account its lines name, too. With one mistake
    in it nothing is sent, and every mistake is reported with its line and column. A
    command that is denied is an outcome, not an error.

    The emulator's clock stands at each line's time. At a real gateway it is now.

    Run the same file again after whatever happened: what was carried out is not sent
    again, what was broken off is inquired about and finished.

    Exit codes: 0 done, 2 the file or the store cannot be used, 4 an outcome is still
    open, 130 stopped by Ctrl-C or SIGTERM after the commands in hand.
    """  # noqa: D301 - click reads \b
    began = time.monotonic()
    machines = Machines(shipped_lifecycles())
    with opened(file, machines) as commands:
        number = commands.check(OfAccount(asked))
        clock = RunClock(_BEFORE_ALL)
        keeping = clock if is_emulator(asked) else utc_now
        if not number:
            return _print_nothing(asked)
        with (
            # Before the store is opened: one that is being made is made whole.
            stop_on_signals() as stop,
            wired(asked, keeping, on=(), may_make=True) as wiring,
        ):
            if set(wiring.engine.store.accounts()) - {wiring.account}:
                commands.check(partial(wrong_owner, wiring, asked.language))
            with progress(number, word("running", asked.language)) as bar:
                halt = carry_out(wiring, clock, commands.lines(), stop, bar.step)
            totals = count(wiring.engine.store, commands.lines())
            seconds = round(time.monotonic() - began, 3)
            current = wiring.engine.machines
            if asked.as_json:
                data = {**totals_data(totals), "seconds": seconds}
                print_json(data if halt is None else {**data, "stopped": _data(halt)})
            else:
                print_totals(totals, current, seconds, asked.language)
    return _exit(halt, totals)


def _print_nothing(asked: Asked) -> int:
    """Say that there is no command; no store is made for none."""
    if asked.as_json:
        print_json({**totals_data(Totals()), "seconds": 0})
    else:
        say(word("empty", asked.language))
    return exits.DONE


def _data(halt: Halt) -> dict[str, object]:
    error = None if halt.error is None else error_data(halt.error)
    return {"after_line": halt.after, "line": halt.line, "error": error}


def _exit(halt: Halt | None, totals: Totals) -> int:
    if halt is None:
        return exits.UNKNOWN if totals.left_open else exits.DONE
    if halt.error is not None:
        note(f"kessai: {halt.error}")
    note(f"stopped {_where(halt)}; run the same file again to go on")
    return exits.STOPPED if halt.error is None else exits.exit_code_of(halt.error)


def _where(halt: Halt) -> str:
    if halt.line is not None:
        return f"at line {halt.line:,}"
    return f"after line {halt.after:,}" if halt.after else "before the first line"
