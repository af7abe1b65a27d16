"""`kessai import`: takes over orders that began elsewhere."""

from collections.abc import Callable
from functools import partial

import click

from kessai.cli.run.accounts import OfAccount, wrong_owner
from kessai.cli.run.command_file import CommandFile, CommandLine, opened
from kessai.cli.run.report import print_totals, word
from kessai.cli.run.totals import count, totals_data
from kessai.cli.terminal import exits
from kessai.cli.terminal.gateways import Wiring, wired
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import note, print_json
from kessai.cli.terminal.progress import progress
from kessai.cli.terminal.stopping import Stop, stop_on_signals
from kessai.driver import utc_now
from kessai.errors import InvalidInput
from kessai.flow import Answer, ImportedCommand
from kessai.machine import Machines
from kessai.shell import shipped_lifecycles


@click.command("import", short_help="Take over what began elsewhere.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--evidence", required=True, metavar="TEXT", help="How it is known, e.g. an export."
)
@click.option("--actor", required=True, metavar="NAME", help="Who answers for it.")
@shared_options("db", "gateway", "account", "json")
def import_command(asked: Asked, file: str, evidence: str, actor: str) -> int:
    """Record what was carried out before orders came here; - is standard input.

    \b
    Each line of FILE is a command that succeeded, as for `kessai run`:
      at (when it did) key command transaction lifecycle agreement amount currency …
    and may have
      references   the gateway's ids, {"payment_intent": "pi_1"}
      deadlines    those that the gateway stated, {"authorization": "2026-12-01T…Z"}

    The whole file is checked first. Nothing is sent. Each command is decided as of its
    time, so an order comes here only as the rules allow it; a line that they do not
    allow is reported, and its order stays as the lines before left it. TEXT and NAME go
    into the audit trail for good: write no personal data there.

    Run the same file again after whatever happened: what is recorded stays as it is.
    Then `kessai reconcile` compares every order with the gateway.

    Exit codes: 0 done, 2 the file or the store cannot be used, 3 a line was denied, 130
    stopped by Ctrl-C or SIGTERM after the line in hand.
    """  # noqa: D301 - click reads \b
    machines = Machines(shipped_lifecycles())
    with opened(file, machines, before=utc_now()) as commands:
        number = commands.check(OfAccount(asked))
        with (
            # Before the store is opened: one that is being made is made whole.
            stop_on_signals() as stop,
            wired(asked, on=(), may_make=True) as wiring,
        ):
            commands.check(partial(wrong_owner, wiring, asked.language))
            with progress(number, word("running", asked.language)) as bar:
                take = partial(_take, wiring, evidence=evidence, actor=actor)
                denied = _take_all(commands, take, stop, bar.step, asked.language)
            totals = count(wiring.engine.store, commands.lines())
            if asked.as_json:
                print_json(totals_data(totals))
            else:
                print_totals(totals, wiring.engine.machines, None, asked.language)
    if stop.is_asked:
        note("stopped; run the same file again to go on")
        return exits.STOPPED
    return exits.DENIED if denied else exits.DONE


def _take_all(
    commands: CommandFile,
    take: Callable[[CommandLine], Answer],
    stop: Stop,
    done: Callable[[], None],
    language: str,
) -> int:
    """How many lines were denied; each is told."""
    denied = 0
    for line in commands.lines():
        if stop.is_asked:
            break
        answer = take(line)
        if answer.denial is not None:
            denied += 1
            where = f"line {line.number}: {line.command.transaction}"
            note(f"kessai: {where}: {' '.join(answer.denial.sentences(language))}")
        done()
    return denied


def _take(wiring: Wiring, line: CommandLine, *, evidence: str, actor: str) -> Answer:
    stated = line.stated
    imported = ImportedCommand(
        command=stated.command,
        at=stated.at,
        references=stated.references,
        deadlines=stated.deadlines,
    )
    try:
        return wiring.engine.import_command(imported, evidence=evidence, actor=actor)
    except InvalidInput as error:
        message = f"line {line.number}: {error}"
        raise InvalidInput(message) from error
