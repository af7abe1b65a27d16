"""Everything goes wrong, and nothing is lost or done twice."""

import json
import os
import pickle
import subprocess
import sys
from datetime import timedelta
from itertools import count

import attrs
import pytest
from defects import DEFECTS
from staging import gateway, machines, played_on_all_cores

from kessai import SQLiteStore
from kessai.errors import InvalidInput
from kessai.flow import Recovery
from kessai.limits import NOTHING_IN_FLIGHT, WAITS
from kessai.simulator import (
    ALL,
    COMMANDS_EACH,
    MEANINGS,
    Fault,
    Figures,
    Stage,
    narrate,
    parse_faults,
    play_world,
    replay,
    shortest,
    simulate,
    written,
)
from kessai.simulator.violation import BrokenPromise, Violation

ELSEWHERE = {Fault.LATE_REVERSAL, Fault.WRONG_ENDPOINT, Fault.ACCOUNT_UNKNOWN}
"""What needs another gateway, or several accounts."""


def test_what_another_process_finds_is_shown_as_it_was_found():
    found = Violation(BrokenPromise.BOOKS_DIFFER, "order-1", "captured 1")
    again = pickle.loads(pickle.dumps(found))  # noqa: S301 - our own
    assert (str(again), vars(again)) == (str(found), vars(found))


COMMANDS = 4_000


def test_whatever_goes_wrong_no_promise_is_broken():
    total, found = Figures(), []
    worlds = range(1, 1 + COMMANDS // COMMANDS_EACH)
    for figures, findings in played_on_all_cores(worlds, processes=2):
        total.add(figures)
        found += findings
    assert [(finding.seed, str(finding.violation)) for finding in found] == []
    assert total.commands >= COMMANDS
    assert total.accepted * 2 >= total.commands
    assert total.resolved == total.operations
    assert set(total.faults) == set(Fault) - ELSEWHERE


def test_without_faults_nothing_is_put_aside(stage):
    figures = simulate(stage, 1, 2_000, faults=())
    assert figures.finding is None
    assert figures.faults == {}
    assert figures.discrepancies == 0


def test_a_single_fault_strikes_alone(stage):
    figures = simulate(stage, 1, 1_000, faults={Fault.LOST_REPLY})
    assert set(figures.faults) == {Fault.LOST_REPLY}
    assert figures.finding is None


def test_an_in_flight_limit_that_is_too_short_loses_a_payment(stage):
    a_minute = Recovery(in_flight_limit=timedelta(minutes=1), waits=NOTHING_IN_FLIGHT)
    finding = simulate(attrs.evolve(stage, recovery=a_minute), 1, 10_000).finding
    assert finding is not None
    assert replay(stage, finding.moves) is None


def test_the_shortest_limit_that_is_accepted_loses_nothing(stage):
    least = Recovery(in_flight_limit=WAITS.least_limit)
    assert simulate(attrs.evolve(stage, recovery=least), 1, 2_500).finding is None


def test_a_world_is_the_same_in_memory_and_in_a_file(stage, tmp_path):
    files = (tmp_path / f"world-{number}.db" for number in count())
    on_disk = Stage(machines(), gateway, lambda: SQLiteStore(next(files)))
    figures = play_world(on_disk, 7, 60, ALL)
    assert figures == play_world(stage, 7, 60, ALL)
    assert figures.faults[Fault.RESTORED_BACKUP] == 1


def test_a_seed_makes_the_same_world_in_every_process():
    found = [
        simulated("--seed", "3", "--commands", "600", hashes=h) for h in ("1", "2")
    ]
    for figures in found:
        del figures["seconds"]
    assert found[0] == found[1]
    assert found[0]["commands"] >= 600


def simulated(*arguments, hashes):
    command = [sys.executable, "-m", "kessai", "simulate", "--json", *arguments]
    environment = {**os.environ, "PYTHONHASHSEED": hashes}
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    return json.loads(done.stdout)


def test_what_is_found_is_cut_down_to_a_short_story(stage):
    with DEFECTS["a_commit_that_raised_counts_as_not_written"]():
        finding = simulate(stage, 1, 10_000).finding
        story = shortest(stage, finding)
        assert replay(stage, story).code == "not_safe_to_resend"
        lines = list(narrate(stage, story))
    assert len(story) <= 5
    assert "Append event 1 — commit_kept" in lines[-1]
    assert replay(stage, story) is None  # the engine as it is stands it


def test_a_list_of_faults_is_read_as_it_is_written():
    some = frozenset({Fault.PORTAL, Fault.LOST_REPLY})
    for chosen in (frozenset(), some, ALL):
        assert parse_faults(written(chosen)) == chosen
    assert parse_faults(" portal , lost_reply ") == some


@pytest.mark.parametrize("text", ["", "flood", "portal,flood", "all,portal"])
def test_a_fault_that_there_is_not_is_refused(text):
    with pytest.raises(InvalidInput, match="lost_request"):
        parse_faults(text)


def test_every_fault_says_what_it_is_in_both_languages():
    assert set(MEANINGS) == set(Fault)
    assert all(meaning.en and meaning.ja for meaning in MEANINGS.values())
