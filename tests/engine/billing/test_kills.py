"""Workers are killed and frozen at random: nothing is charged twice, nothing forgotten."""

import sys
from collections import Counter
from random import Random  # noqa: TID251 - seeded below

import pytest

from kessai.billing import next_chunk, run_bills, run_chunk
from kessai.stores.bills import Bills

RUN = "2026-01"
NAMES = [f"A{number}" for number in range(12)]
STEPS, LAST = 60, 12
TROUBLE = ("lose_reply", "lose_request", "refuse_connection")


class Killed(BaseException):
    """The process is gone."""


class Chaos:
    """Workers of which each may be gone, or frozen while another takes over."""

    def __init__(self, shop, seed, wire):
        self.shop, self.wire = shop, wire
        self.random = Random(seed)  # noqa: S311 - of a test
        self.kills = self.freezes = 0

    def worker(self):
        wire = self.wire(self.shop.local.emulator)
        send = wire.send

        def sends(request):
            self.may_happen()
            reply = send(request)
            self.may_be_killed()
            return reply

        wire.send = sends
        return self.shop.worker(wire)

    def may_happen(self):
        self.may_be_killed()
        if self.random.random() < 0.06:
            self.freezes += 1
            self.shop.lease_ends()
            self.step()
        if self.random.random() < 0.05:
            self.shop.local.emulator.misbehave(self.random.choice(TROUBLE))

    def may_be_killed(self):
        if self.random.random() < 0.06:
            self.kills += 1
            raise Killed

    def step(self):
        """A worker charges a chunk, or is gone in the middle of it."""
        engine = self.worker()
        chunk = next_chunk(engine, RUN, size=5)
        try:
            if chunk is not None:
                run_chunk(engine, chunk, owner="worker")
        except Killed:
            self.shop.lease_ends()


@pytest.fixture
def _gone_is_gone(monkeypatch):
    """Nobody releases anything when a process is gone."""
    release = Bills.release_chunk

    def released(bills, held):
        if not isinstance(sys.exc_info()[1], Killed):
            release(bills, held)

    monkeypatch.setattr(Bills, "release_chunk", released)


@pytest.mark.usefixtures("_gone_is_gone")
@pytest.mark.parametrize(
    "seed",
    [1, 2, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 9))],
)
def test_every_agreement_is_charged_once_whoever_is_killed_or_frozen(
    shop, wire_kind, seed
):
    shop.agrees(*NAMES)
    shop.plan(*NAMES)
    shop.at(2026, 1, 31)
    chaos = Chaos(shop, seed, wire_kind)
    for number in range(STEPS):
        chaos.step()
        if number % 3 == 2:
            shop.passes(minutes=21)
    assert chaos.kills or chaos.freezes
    for _ in range(LAST):
        shop.passes(hours=3)
        shop.lease_ends()
        run_bills(shop.engine, RUN, owner="last")
    assert Counter(bill.status for bill in shop.listed()) == {"succeeded": len(NAMES)}
    assert sorted(shop.orders().values()) == sorted(NAMES)
    for charge in shop.orders():
        assert shop.engine.reconcile(charge).events == ()
