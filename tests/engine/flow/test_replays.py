"""Gateways that list nothing, or want to be left alone for a while."""

from datetime import timedelta

import pytest

from kessai import Recovery, Status
from kessai.gateway import INQUIRY, Failure
from kessai.machine import Reported, Resent

LOST = Failure(sent=True, reason="ReadTimeout")
DAY = timedelta(days=1)


@pytest.fixture
def lost(market, scripted, wire):
    """A capture whose reply was lost, at a gateway that has no inquiry."""
    scripted.once("authorize")
    market.asks("authorize", 100)
    scripted.replays = DAY

    def exchange(call):
        reply = yield scripted.ask(call)
        outcome = "unknown" if isinstance(reply, Failure) else "succeeded"
        return scripted.says(call, outcome)

    scripted.exchanges["capture"] = exchange
    wire.answers = [LOST]
    assert market.asks("capture", 60).status is Status.UNKNOWN
    return market


def test_a_known_key_is_answered_again_and_that_is_the_evidence(
    lost, wire, clock, events
):
    clock.passes(minutes=3)
    (answer,) = lost.recover()
    assert answer.status is Status.SUCCEEDED
    _, first, again = wire.sent
    assert first == again
    resent, reported = events()[-2:]
    assert (type(resent), type(reported)) == (Resent, Reported)


def test_a_resend_that_is_lost_is_sent_once_more(lost, wire, clock, events):
    clock.passes(minutes=3)
    wire.answers = [LOST, LOST]
    assert [answer.status for answer in lost.recover()] == [Status.UNKNOWN]
    clock.passes(hours=1)
    assert [answer.status for answer in lost.recover()] == [Status.UNKNOWN]
    clock.passes(hours=7)
    assert [answer.status for answer in lost.recover()] == [Status.SUCCEEDED]
    assert len(set(wire.keys[1:])) == 1
    events()


@pytest.mark.parametrize("missing", ["keep", "decline", "resend"])
def test_once_the_key_may_be_forgotten_it_stays_open(lost, wire, clock, missing):
    """The same request might be carried out a second time."""
    clock.passes(hours=23, minutes=50, seconds=1)  # and ten minutes to arrive
    (answer,) = lost.recover(Recovery(missing=missing))
    assert (answer.status, len(wire.sent)) == (Status.UNKNOWN, 2)
    clock.passes(days=30)
    (answer,) = lost.recover(Recovery(missing=missing))
    assert (answer.status, len(wire.sent)) == (Status.UNKNOWN, 2)


def test_until_then_it_is_asked(lost, wire, clock):
    clock.passes(hours=23, minutes=50)
    (answer,) = lost.recover()
    assert answer.status is Status.SUCCEEDED


def test_that_it_was_not_sent_again_says_nothing_of_the_first_time(lost, wire, clock):
    """The capture whose reply was lost may have been carried out."""
    clock.passes(minutes=3)
    wire.answers = [Failure(sent=False, reason="ConnectError")]
    lost.adapter.once("capture", "declined", never_sent=True)
    (answer,) = lost.recover()
    assert answer.status is Status.UNKNOWN


def test_the_time_counts_from_the_first_sending(lost, wire, clock):
    clock.passes(hours=23)
    wire.answers = [LOST]
    lost.recover()
    clock.passes(hours=7)
    (answer,) = lost.recover()
    assert (answer.status, len(wire.sent)) == (Status.UNKNOWN, 3)


def test_a_gateway_that_promises_nothing_is_sent_nothing(lost, wire, clock, scripted):
    scripted.replays = None
    clock.passes(minutes=3)
    (answer,) = lost.recover()
    assert (answer.status, len(wire.sent)) == (Status.UNKNOWN, 2)


def test_where_there_is_a_list_that_is_asked(lost, wire, clock, scripted):
    scripted.once(INQUIRY, "unknown")  # it could not be reached, this time
    clock.passes(minutes=3)
    (answer,) = lost.recover()
    assert answer.status is Status.UNKNOWN
    assert wire.urls[2:] == ["inquiry/"]


# ── left alone ──────────────────────────────────────────────────────────────────────


def test_nothing_is_asked_before_the_gateway_wants_it(lost, wire, clock, scripted):
    """429, Retry-After: 6 hours."""
    clock.passes(minutes=3)
    later = clock.now + timedelta(hours=6)
    scripted.once("capture", "unknown", not_before=later)
    lost.recover()
    assert len(wire.sent) == 3
    clock.passes(hours=5, minutes=59)
    assert lost.recover() == []
    clock.passes(minutes=1)
    scripted.once("capture")
    (answer,) = lost.recover()
    assert answer.status is Status.SUCCEEDED


def test_a_reply_that_asks_for_peace_has_it_from_the_first_recovery(
    market, wire, clock, scripted, store
):
    later = clock.now + timedelta(hours=1)
    scripted.once("authorize", "unknown", not_before=later)
    market.asks("authorize", 100)
    assert market.transaction().due_at == later
    clock.passes(minutes=59)
    assert market.recover() == []
    assert store.open_transactions(1) == ["order-1"]
    clock.passes(minutes=1)
    assert len(market.recover()) == 1


def test_an_inquiry_that_is_turned_away_is_made_again_when_it_is_wanted(
    lost, wire, clock, scripted
):
    clock.passes(minutes=3)
    later = clock.now + timedelta(hours=8)  # longer than any pause of ours
    scripted.once(INQUIRY, "unknown", not_before=later)
    assert len(lost.recover()) == 1
    clock.passes(hours=7, minutes=59)
    assert lost.recover() == []
    clock.passes(minutes=1)
    assert len(lost.recover()) == 1
