"""`kessai simulate`: runs seeded worlds full of faults, and compares the books."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from kessai.cli.simulate.report import VIOLATION, figures_data, print_figures, word
from kessai.cli.terminal import exits
from kessai.cli.terminal.gateways import local_gateway
from kessai.cli.terminal.options import (
    FIRST_GATEWAY,
    Asked,
    emulated_option,
    shared_options,
)
from kessai.cli.terminal.output import print_json, say
from kessai.cli.terminal.progress import progress
from kessai.cli.terminal.stopping import stop_on_signals
from kessai.errors import InvalidInput
from kessai.machine import Machines
from kessai.simulator import (
    Fault,
    Figures,
    FoundViolation,
    PlayedGateway,
    Stage,
    narrate,
    parse_faults,
    shortest,
    simulate,
    written,
)
from kessai.spec import load_shipped
from kessai.stores import MemoryStore, SQLiteStore, Store


def _faults(_context: click.Context, _option: object, text: str) -> frozenset[Fault]:
    try:
        return parse_faults(text)
    except InvalidInput as error:
        raise click.BadParameter(str(error)) from error


@click.command("simulate", short_help="Run worlds where everything goes wrong.")
@click.option("--seed", type=int, default=1, show_default=True, help="The first seed.")
@click.option(
    "--commands",
    type=click.IntRange(1),
    default=2_000,
    show_default=True,
    help="How many commands are asked for, 200 in each world.",
)
@click.option(
    "--faults",
    default="all",
    show_default=True,
    callback=_faults,
    metavar="NAMES",
    help="'all', 'none', or names with commas between: lost_reply,portal.",
)
@click.option(
    "--store",
    type=click.Choice(["memory", "sqlite"]),
    default="memory",
    show_default=True,
    help="What keeps the transactions; sqlite writes to temporary files.",
)
@emulated_option("Whose emulator plays the gateway, with its own lifecycles.")
@shared_options("json")
def simulate_command(asked: Asked, **given: Any) -> int:
    """Run the engine's own flows against the gateway's stand-in, with faults.

    Order systems, workers, recoverers and a consumer live on a virtual clock in
    one process. A seed decides who moves next and what goes wrong; the same seed gives
    the same worlds, on any machine. After each world everything resolves, and the books
    of both sides are compared to the yen.

    Exit codes: 0 nothing was found, 5 a promise was broken (the seed and the shortest
    story that shows it are printed), 130 stopped by Ctrl-C after the world in hand.
    """
    began, language = time.monotonic(), asked.language
    with _stage(given) as stage:
        figures, stopped = _played(stage, given, language)
        seconds = time.monotonic() - began
        story = _story(stage, figures.finding, language)
    again = None if figures.finding is None else _again(figures.finding, given)
    if asked.as_json:
        print_json(figures_data(figures, seconds, story, again))
    else:
        print_figures(figures, seconds, language)
        _print_story(story, again, language)
    if figures.finding is not None:
        return exits.AUDIT
    return exits.STOPPED if stopped else exits.DONE


def _played(stage: Stage, given: dict[str, Any], language: str) -> tuple[Figures, bool]:
    seed, total, faults = given["seed"], given["commands"], given["faults"]
    with stop_on_signals() as stop, progress(total, word("playing", language)) as bar:

        def after_each(figures: Figures) -> bool:
            bar.step(figures.commands)
            return not stop.is_asked

        return simulate(stage, seed, total, faults, after_each), stop.is_asked


@contextmanager
def _stage(given: dict[str, Any]) -> Iterator[Stage]:
    name = given["emulated"]
    with closing(local_gateway(name=name)) as local:
        machines = Machines([load_shipped(each) for each in local.lifecycles])
    gateway = partial(_gateway, name)
    if given["store"] == "memory":
        yield Stage(machines, gateway, MemoryStore)
        return
    with TemporaryDirectory(prefix="kessai-simulate-") as folder:
        yield Stage(machines, gateway, _Files(Path(folder)))


class _Files:
    """Makes a store in a new file each time, and drops the one before."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0

    def __call__(self) -> Store:
        for old in self._folder.iterdir():
            old.unlink()
        self._number += 1
        return SQLiteStore(self._folder / f"world-{self._number}.db")


def _gateway(name: str, clock: Callable[[], datetime]) -> PlayedGateway:
    return local_gateway(clock, approve="ask", name=name).played()


def _story(stage: Stage, finding: FoundViolation | None, language: str) -> list[str]:
    if finding is None:
        return []
    return list(narrate(stage, shortest(stage, finding), language))


def _again(finding: FoundViolation, given: dict[str, Any]) -> str:
    """The command line that runs the same world once more."""
    name = given["emulated"]
    gateway = "" if name == FIRST_GATEWAY else f" --gateway {name}"
    return (
        f"kessai simulate --seed {finding.seed} --commands {finding.commands}"
        f" --faults {written(finding.faults)} --store {given['store']}{gateway}"
    )


def _print_story(story: list[str], again: str | None, language: str) -> None:
    if again is None:
        return
    say(word(VIOLATION, language))
    for line in story:
        say(f"  {line}")
    say(f"{word('again', language)}  {again}")
