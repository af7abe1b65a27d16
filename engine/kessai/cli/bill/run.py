"""`kessai bill run`: charges what is due, until nothing is."""

import os
import socket
from collections import Counter
from pathlib import Path

import click

from kessai.billing import BillRunner, ChunkDone, RetryLadder, read_ladder
from kessai.cli.bill.shown import print_statuses, totals_of, word
from kessai.cli.terminal import exits
from kessai.cli.terminal.gateways import wired
from kessai.cli.terminal.options import Asked, shared_options
from kessai.cli.terminal.output import print_json
from kessai.cli.terminal.progress import progress
from kessai.cli.terminal.stopping import stop_on_signals
from kessai.flow.answer import OPEN


@click.command(short_help="Charge what is due of a run.")
@click.argument("name", metavar="RUN")
@click.option(
    "--ladder",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="What follows a decline, as TOML: [again] codes and after_days, [ask] codes."
    " Without it a decline is final.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    default=8,
    show_default=True,
    metavar="N",
    help="So many chunks at a time; one at the emulator.",
)
@shared_options("db", "gateway", "account", "json")
def run(asked: Asked, *, name: str, ladder: Path | None, threads: int) -> int:
    """Charge the bills of a run that are due, in chunks, until none is.

    Run it on as many machines as it takes, and again after whatever happened: a chunk is
    leased to one, and comes back by itself. What has no outcome is looked after a quarter
    of an hour later, and never sent again.

    Exit codes: 0 all that was due has an outcome, 4 something is open, 130 stopped by
    Ctrl-C or SIGTERM after the chunks in hand.
    """
    rungs = RetryLadder() if ladder is None else read_ladder(ladder)
    owner, statuses = f"{socket.gethostname()}/{os.getpid()}", Counter[str]()
    with wired(asked) as wiring, stop_on_signals() as stop:
        engine = wiring.engine
        planned = sum(total.number for total in totals_of(engine.store, name))
        runner = BillRunner(
            engine=engine,
            run=name,
            owner=owner,
            ladder=rungs,
            threads=threads if wiring.local is None else 1,
        )
        with progress(planned, word("running", asked.language)) as bar:
            for found in runner.results(lambda: stop.is_asked):
                if isinstance(found, ChunkDone):
                    statuses.update(found.statuses)
                    bar.step(sum(found.statuses.values()))
    if asked.as_json:
        print_json({"run": name, "charged": dict(statuses)})
    else:
        print_statuses(statuses, asked.language)
    is_open = any(statuses[status] for status in OPEN)
    code = exits.UNKNOWN if is_open else exits.DONE
    return stop.ended(code, word("stopped", asked.language))
