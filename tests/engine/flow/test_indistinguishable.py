"""Two refunds of the same amount: nothing but counting tells whose success is listed.

An inquiry names no operation, so what it lists is given to one of those that are alike.
Whichever it is given to, in the end the trail tells as many as the gateway carried out,
and none was carried out twice.
"""

import pytest

from kessai import Missing, Recovery, Status
from kessai.flow import recover
from kessai.gateway import Failure

LOST = Failure(sent=True, reason="ReadTimeout")
RESEND = Recovery(missing=Missing.RESEND)
DECLINE = Recovery(missing=Missing.DECLINE)
KEEP = Recovery(missing=Missing.KEEP)


@pytest.fixture
def captured(shop, gateway):
    shop.asks("authorize", 200)
    shop.asks("capture", 200)
    gateway.sent.clear()
    return shop


def refund(shop, key):
    return shop.asks("refund", 60, key=key)


def carried_out(gateway):
    listing = [("refund", "succeeded", 60)]
    return 60 * sum(listed in listing for listed in gateway.listed["order-1"])


def agree(shop, gateway):
    amounts = shop.transaction().amounts
    assert amounts["refunding"] == 0
    assert amounts["refunded"] == carried_out(gateway)


def amid(hand, command, doing):
    """Ask for a refund; `doing` happens between its reply and the reading of it."""
    sleeps = {"once": doing}

    def after():
        if hand.log[-1] == "Send" and sleeps:
            sleeps.pop("once")()

    hand.after = dict.fromkeys(range(40), after)
    try:
        return hand.execute(command("refund", 60, key="second"))
    finally:
        hand.after = {}


@pytest.mark.parametrize("recovery", [RESEND, DECLINE])
def test_a_success_that_could_be_anothers_is_no_absence(
    captured, hand, command, gateway, recovery
):
    gateway.answers = [gateway.loses]
    refund(captured, "first")
    captured.clock.passes(minutes=11)
    with pytest.raises(KeyboardInterrupt):
        amid_send(hand, command)
    captured.recover(recovery)
    assert gateway.commands.count("refund") == 1
    gateway.does({"transaction": "order-1", "command": "refund", "amount": 60})
    captured.clock.passes(minutes=11)  # the second one was slow
    captured.recover(DECLINE)
    assert carried_out(gateway) == 120
    agree(captured, gateway)


def amid_send(hand, command):
    """Ask for a refund, and be interrupted before its request leaves."""

    def before():
        if hand.log[-1] == "Send":
            raise KeyboardInterrupt

    hand.before = dict.fromkeys(range(40), before)
    try:
        hand.execute(command("refund", 60, key="second"))
    finally:
        hand.before = {}


@pytest.mark.parametrize("recovery", [RESEND, DECLINE])
def test_an_answer_that_is_older_than_the_trail_shows_no_absence(
    captured, hand, gateway, clock, recovery
):
    gateway.answers = [gateway.loses]
    refund(captured, "first")
    clock.passes(minutes=11)
    others = {"once": lambda: refund(captured, "second")}

    def after():
        if hand.log[-1] == "Send" and others:
            others.pop("once")()

    hand.after = dict.fromkeys(range(40), after)
    hand.run(recover(hand.context, "order-1", recovery))
    assert gateway.commands.count("refund") == 2
    agree(captured, gateway)


def test_what_is_listed_is_given_to_what_was_sent_first(captured, gateway, clock):
    gateway.answers = [LOST]
    refund(captured, "first")
    clock.passes(minutes=5)
    gateway.answers = [LOST]  # slow: it arrives later
    second = refund(captured, "second").operation
    clock.passes(minutes=5)
    gateway.answers = [{}, LOST]  # the first is sent again, and is slow as well
    captured.recover(RESEND)
    clock.passes(minutes=4)
    gateway.does({"transaction": "order-1", "command": "refund", "amount": 60})
    clock.passes(minutes=2)
    captured.recover(DECLINE)
    assert second not in captured.transaction().operations
    gateway.does({"transaction": "order-1", "command": "refund", "amount": 60})
    clock.passes(minutes=10)
    captured.recover(DECLINE)
    assert carried_out(gateway) == 120
    agree(captured, gateway)


@pytest.mark.parametrize("outcome", ["succeeded", "declined"])
def test_a_late_reply_is_not_applied_after_it_was_counted_for_another(
    captured, hand, command, gateway, outcome
):
    gateway.answers = [LOST]
    refund(captured, "first")  # still on its way
    gateway.answers = [{"outcome": outcome}]

    def others():
        captured.clock.passes(seconds=150)
        captured.recover(KEEP)

    answer = amid(hand, command, others)
    assert answer.status is Status.UNKNOWN
    gateway.does({"transaction": "order-1", "command": "refund", "amount": 60})
    captured.clock.passes(minutes=10)
    captured.recover(DECLINE)
    agree(captured, gateway)


def test_what_may_have_been_taken_for_another_is_not_sent_again(
    captured, hand, command, gateway, clock
):
    """Its own success may be the one that was counted: once more would be twice."""
    gateway.answers = [LOST]
    refund(captured, "first")  # never arrives

    def others():
        clock.passes(minutes=11)
        captured.recover(RESEND)

    answer = amid(hand, command, others)
    assert answer.status is Status.DECLINED
    assert gateway.commands.count("refund") == 2
    assert refund(captured, "first").status is Status.SUCCEEDED
    agree(captured, gateway)


def test_a_late_reply_does_not_make_pending_what_has_ended(
    captured, hand, command, gateway, clock
):
    gateway.answers = [LOST]
    refund(captured, "first")  # never arrives
    gateway.answers = [{"outcome": "pending"}]

    def others():
        gateway.does({"transaction": "order-1", "command": "refund", "amount": 60})
        clock.passes(seconds=150)
        captured.recover(KEEP)

    amid(hand, command, others)
    clock.passes(minutes=11)
    captured.recover(DECLINE)
    agree(captured, gateway)
