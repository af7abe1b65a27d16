"""A deadline that the gateway states wins over the duration that is declared."""

from datetime import timedelta

import pytest

from kessai.gateway import INQUIRY
from kessai.machine import Lapsed, Learned


@pytest.fixture
def ends(clock, market):
    machines = {machine.name: machine for machine in market.engine.machines}
    (name,) = machines["one_time"].deadlines
    return name, clock.now + timedelta(days=7)


def test_a_reply_states_when_an_authorization_ends(
    market, scripted, clock, ends, events
):
    name, at = ends
    scripted.once("authorize", deadlines={name: at, "not_declared": at})
    scripted.once(INQUIRY)
    market.asks("authorize", 100)
    assert market.transaction().deadlines == {name: at}
    clock.passes(days=7)
    states = market.call("sweep", "order-1").status
    assert states == "payment.expired"
    assert isinstance(events()[-1], Lapsed)


def test_an_inquiry_states_another(market, scripted, ends, events):
    name, at = ends
    scripted.once("authorize")
    market.asks("authorize", 100)
    declared = market.transaction().deadlines[name]
    scripted.once(INQUIRY, deadlines={name: at}, listing=())
    for _ in range(2):
        market.call("reconcile", "order-1")
    assert market.transaction().deadlines[name] == at != declared
    assert [type(event) for event in events()[2:]] == [Learned]
