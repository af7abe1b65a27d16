"""Whoever asks at the same moment, and in whatever way: one effect, every yen once."""

import json
from time import sleep

import pytest
import race
from racing.contests import CONTESTS, Outcome, Race, Violation

from kessai import Command, MemoryStore


def options(by, rounds, racers, store):
    given = {"by": by, "rounds": rounds, "racers": racers, "store": store, "seed": 7}
    return [f"--{name}={value}" for name, value in given.items()]


@pytest.mark.parametrize(
    ("by", "rounds", "racers"),
    [
        ("threads", 3 * len(CONTESTS), 30),
        ("engines", 2 * len(CONTESTS), 12),
        ("processes", 2 * len(CONTESTS), 6),
    ],
)
def test_of_many_that_ask_at_once_each_gets_what_is_right(
    capsys, tmp_path, by, rounds, racers
):
    failed = race.main(options(by, rounds, racers, tmp_path / "race.db"))
    found = json.loads(capsys.readouterr().out)
    assert not failed, found
    assert sum(found[by]["statuses"].values()) == rounds * racers


def test_a_store_that_checks_no_version_is_found_out(capsys, monkeypatch):
    """Check, then act, and something in between: what the races are for."""
    load = MemoryStore.load

    def slow(*given):
        found = load(*given)
        sleep(0.001)
        return found

    monkeypatch.setattr(MemoryStore, "load", slow)
    monkeypatch.setattr(MemoryStore, "_check", lambda *_: None)
    assert race.main(options("threads", 2 * len(CONTESTS), 30, "memory:"))
    assert "violation" in json.loads(capsys.readouterr().out)


class Gateway:
    """Has the books that the gateway would have after something went wrong."""

    def __init__(self, refunded=0, sent=1):
        self._refunded, self._sent = refunded, sent

    def refunded(self, order):
        return self._refunded

    def exchanges(self, order, wire):
        return [None] * self._sent


def answered(amounts):
    return [
        Outcome(Command("refund", "order", key=f"{n}", amount=amount), status)
        for n, (amount, status) in enumerate(amounts)
    ]


@pytest.mark.parametrize(
    ("contest", "outcomes", "gateway"),
    [
        ("refunds of sixty", [(60, "succeeded"), (60, "succeeded")], Gateway(120)),
        ("refunds of sixty", [(60, "denied"), (60, "denied")], Gateway(0)),
        ("refunds of any amount", [(60, "succeeded"), (60, "succeeded")], Gateway(120)),
        ("refunds of any amount", [(60, "succeeded"), (40, "denied")], Gateway(60)),
        ("refunds of any amount", [(60, "succeeded")], Gateway(0)),
        ("one refund again and again", [(30, "succeeded")] * 2, Gateway(60, sent=2)),
        ("one refund again and again", [(30, "unknown")] * 2, Gateway(30)),
    ],
)
def test_a_contest_sees_what_must_not_be(contest, outcomes, gateway):
    """A race that nobody can lose proves nothing."""
    [found] = [one for one in CONTESTS if one.name == contest]
    with pytest.raises(Violation):
        found.holds(Race("order", None, len(outcomes)), answered(outcomes), gateway)
