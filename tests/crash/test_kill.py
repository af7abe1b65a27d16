"""The process is killed at any moment of any command: nothing is lost or done twice."""

import json

import attrs
import kill
import pytest
from breakage.aftermath import Aftermath, Violation, as_it_should_be
from breakage.hosts import Host, Job
from breakage.story import Do, story

REFUNDS = 0
"""A seed whose story captures and refunds."""


def figures_of(capsys):
    return json.loads(capsys.readouterr().out)


@pytest.mark.slow
def test_killed_before_and_after_statements_of_every_command(capsys):
    assert kill.main(["--kills", "90", "--seed", "100", "--kinds", "statement"]) == 0
    figures = figures_of(capsys)
    assert figures["done"] == 90
    chosen = {step.name for seed in range(100, 106) for step in story(seed).steps}
    passive = {"approve", "complete", "wait"}
    missed = chosen - passive - figures["killed_in"].keys()
    assert len(missed) <= 1  # how many statements each takes varies a little


@pytest.mark.slow
@pytest.mark.usefixtures("strace")
def test_killed_at_the_system_calls_that_reach_the_disk(capsys):
    calls = "pwrite64,fdatasync,fsync,ftruncate,unlink"
    assert kill.main(["--kills", "18", "--seed", "200", "--kinds", calls]) == 0
    figures = figures_of(capsys)
    assert figures["done"] == 18
    assert {"pwrite64", "fdatasync"} <= figures["killed_at"].keys()


def killed_everywhere(folder, aftermath, defect="", every=3):
    """Kill at one moment after another until a violation is found; how often it was."""
    chosen, killed = story(REFUNDS), 0
    expected = as_it_should_be(chosen, folder / "sure.db")
    with Host() as host:
        for moment in range(100, 300, every):
            path = str(folder / f"{moment}.db")
            job = Job(path=path, story=chosen, statement=moment, defect=defect)
            run = host.run(job)
            if run.was_killed:
                aftermath(path, chosen, run.gateway, run.under_way).judge(expected)
                killed += 1
    return killed


def test_killed_all_along_a_story_nothing_is_lost_or_done_twice(folder):
    assert killed_everywhere(folder, Aftermath, every=19) >= 8


def test_a_store_that_writes_the_intent_after_the_call_is_found_out(folder):
    with pytest.raises(Violation, match="without intent"):
        killed_everywhere(folder, Aftermath, defect="intent after the call")


class Forgetful(Aftermath):
    """Asks again under fresh keys, as an order system must not."""

    def _ask_all_again(self):
        for number in self.gateway.asked:
            step = self.story.steps[number]
            if isinstance(step, Do) and number == self.under_way:
                fresh = attrs.evolve(step.command, key=f"fresh-{number}")
                self.player.take(number, Do(fresh))
        super()._ask_all_again()


@pytest.mark.slow
def test_a_fresh_key_after_a_crash_would_be_found_out(folder):
    with pytest.raises(Violation, match="done more than once"):
        killed_everywhere(folder, Forgetful)
