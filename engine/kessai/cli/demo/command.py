"""`kessai demo`: a payment's whole life, shown as it happens. Leaves nothing behind."""

from collections.abc import Iterable
from time import perf_counter

import click
from rich.text import Text as Styled

from kessai.cli.demo.narration import DemoNarration, proof_data, scene_data
from kessai.cli.demo.script import opened_stage, proof, story
from kessai.cli.terminal.exits import AUDIT, DONE
from kessai.cli.terminal.options import Asked, emulated_option, shared_options
from kessai.cli.terminal.output import print_json, say


@click.command()
@emulated_option("Whose emulator plays the gateway.")
@shared_options("json")
def demo(asked: Asked, *, emulated: str) -> int:
    """Live through payments, one-time and recurring, and prove every step.

    Needs no key and no network, and leaves nothing behind. Exit code 5 if the trail or
    the gateway's books disagree.
    """
    tell = _as_data if asked.as_json else _narrate
    return tell(asked.language, emulated)


def _narrate(language: str, gateway: str) -> int:
    started = perf_counter()
    narration = DemoNarration.here(language)
    with opened_stage(gateway) as stage:
        _say(narration.opening())
        chapter = ""
        for scene in story(stage):
            if scene.chapter != chapter:
                _say(narration.chapter(scene))
            chapter = scene.chapter
            _say(narration.scene(scene))
        found = proof(stage)
    _say(narration.proof(found, perf_counter() - started))
    return DONE if found.is_good else AUDIT


def _as_data(language: str, gateway: str) -> int:
    started = perf_counter()
    with opened_stage(gateway) as stage:
        steps = [scene_data(scene, language) for scene in story(stage)]
        found = proof(stage)
    seconds = round(perf_counter() - started, 3)
    print_json({"steps": steps, **proof_data(found), "seconds": seconds})
    return DONE if found.is_good else AUDIT


def _say(lines: Iterable[str | Styled]) -> None:
    for line in lines:
        say(line)
