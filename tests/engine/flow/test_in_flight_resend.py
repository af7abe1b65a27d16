"""A resend is in flight like a first request: nobody gives it up too soon."""

import pytest

from kessai import Missing, Recovery
from kessai.flow import inquire, recover
from kessai.machine import Reported, Resent, read_events

RESEND = Recovery(missing=Missing.RESEND)


@pytest.fixture
def lost_capture(hand, gateway, clock, command, lost):
    """A hand; its capture of twenty minutes ago never arrived."""
    hand.execute(command("authorize", 100))
    gateway.answers = [lost]
    hand.execute(command("capture", 60))
    clock.passes(minutes=20)
    return hand


def test_an_inquiry_while_a_resend_is_under_way_leaves_it_in_flight(
    lost_capture, clock, store
):
    looked = []

    def another_inquires():
        sends_again = any(isinstance(event, Resent) for event in events(store))
        if sends_again and not looked:
            looked.append(clock.passes(seconds=5))
            another = type(lost_capture)(store, lost_capture.gateway, clock)
            another.run(inquire(another.context, "order-1", Recovery()))

    for number in range(99):
        lost_capture.before[number] = another_inquires
    lost_capture.run(recover(lost_capture.context, "order-1", RESEND))
    trail = events(store)
    resent = next(n for n, event in enumerate(trail) if isinstance(event, Resent))
    reports = [e.evidence.code for e in trail[resent:] if isinstance(e, Reported)]
    assert looked
    assert reports
    assert "no_answer" not in reports


def events(store):
    return list(read_events(store.records("order-1")))
