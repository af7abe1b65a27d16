"""Gateways that state totals and list no exchanges: the difference is what is new."""

from datetime import timedelta

import pytest

from kessai import Recovery, Status
from kessai.gateway import INQUIRY, Failure, ListedExchange, Outcome
from kessai.machine import Discrepancy, External, Lapsed

LOST = Failure(sent=True, reason="ReadTimeout")


@pytest.fixture
def captured(market, scripted):
    for command in ("authorize", "capture"):
        scripted.once(command)
        market.asks(command, 100)
    return market


def refunds(market, *amounts):
    market.adapter.once("refund", "unknown")
    for number, amount in enumerate(amounts):
        market.asks("refund", amount, key=f"refund {number}")


def states(scripted, **totals):
    scripted.once(INQUIRY, totals=totals)


def phases(market):
    opened = market.transaction().operations.values()
    return [(operation.amount, operation.phase.value) for operation in opened]


def test_a_difference_that_one_operation_explains_resolves_it(
    captured, scripted, clock, events
):
    refunds(captured, 30, 30, 40)
    states(scripted, captured=100, refunded=40)
    clock.passes(minutes=3)
    captured.recover()
    assert phases(captured) == [(30, "unknown"), (30, "unknown")]
    assert captured.transaction().amounts["refunded"] == 40
    events()


def test_a_difference_that_two_could_explain_leaves_both_open(
    captured, scripted, clock, events
):
    refunds(captured, 30, 30, 40)
    states(scripted, captured=100, refunded=30)
    clock.passes(hours=1)
    captured.recover()
    assert phases(captured) == [(30, "unknown"), (30, "unknown"), (40, "unknown")]
    events()


def test_a_difference_that_only_all_of_them_explain_resolves_them(
    captured, scripted, clock, events
):
    refunds(captured, 30, 30)
    states(scripted, captured=100, refunded=60)
    clock.passes(minutes=3)
    answers = captured.recover()
    assert [answer.status for answer in answers] == [Status.SUCCEEDED] * 2
    events()


def test_what_the_gateway_still_answers_by_its_key_is_asked_about_first(
    captured, scripted, clock, events
):
    """The portal has refunded 30, and 20 + 30 look like the lost refund of 50."""
    scripted.replays = timedelta(days=1)
    refunds(captured, 50, 20)
    states(scripted, captured=100, refunded=50)
    known = {20: "succeeded", 50: "unknown"}

    def answer_by_key(call):
        yield scripted.ask(call)
        return scripted.says(call, known[call.amount])

    scripted.exchanges["refund"] = answer_by_key
    clock.passes(minutes=3)
    captured.recover()
    assert phases(captured) == [(50, "unknown")]
    assert captured.transaction().amounts["refunded"] == 20
    events()


def test_once_keys_are_forgotten_totals_are_believed(captured, scripted, clock, events):
    scripted.replays = timedelta(days=1)
    refunds(captured, 50, 20)
    states(scripted, captured=100, refunded=50)
    clock.passes(days=1)
    captured.recover()
    assert phases(captured) == [(20, "unknown")]
    events()


def test_what_is_still_on_its_way_will_tell_itself(captured, scripted, wire, events):
    scripted.once("refund")
    states(scripted, captured=100, refunded=30)
    other = captured.another("sync")

    def meanwhile():
        assert other.call("reconcile", "order-1").events == ()
        return LOST

    wire.answers = [meanwhile]
    captured.asks("refund", 30)
    assert captured.transaction().amounts["refunded"] == 30
    events()


def test_what_totals_would_show_and_do_not_never_arrived(
    captured, scripted, clock, events
):
    refunds(captured, 30)
    states(scripted, captured=100, refunded=0)
    clock.passes(minutes=9)
    (answer,) = captured.recover()
    assert answer.status is Status.UNKNOWN  # it may still be on its way
    clock.passes(hours=1)
    (answer,) = captured.recover()
    assert (answer.status, answer.evidence.never_sent) == (Status.DECLINED, True)
    events()


def test_what_never_arrived_may_be_sent_again(captured, scripted, wire, clock, events):
    refunds(captured, 30)
    states(scripted, captured=100, refunded=0)
    scripted.once("refund")
    clock.passes(hours=1)
    (answer,) = captured.recover(Recovery(missing="resend"))
    assert answer.status is Status.SUCCEEDED
    assert wire.urls[-3:] == ["refund/", "inquiry/", "refund/"]
    events()


def test_a_total_that_shows_nothing_of_an_operation_presumes_none_lost(
    captured, scripted, clock
):
    refunds(captured, 30)
    states(scripted, captured=100)
    clock.passes(hours=1)
    (answer,) = captured.recover()
    assert answer.status is Status.UNKNOWN


def test_one_refund_of_somebody_else_explains_a_difference(captured, scripted, events):
    states(scripted, captured=100, refunded=40)
    captured.call("reconcile", "order-1")
    assert isinstance(events()[-1], External)
    assert captured.status == "payment.partially_refunded"


def test_an_authorization_that_lapsed_meanwhile_explains_a_difference(
    market, scripted, clock, events
):
    """Nobody heard that it was made at all: the totals show both."""
    scripted.once("authorize", "unknown")
    market.asks("authorize", 100)
    states(scripted, authorized=100, captured=0, released=100)
    clock.passes(days=40)
    (answer,) = market.recover()
    assert answer.status is Status.SUCCEEDED
    assert isinstance(events()[-1], Lapsed)
    assert market.status == "payment.expired"


def test_what_nothing_explains_is_kept_once(captured, scripted, events):
    states(scripted, captured=90, refunded=0)
    for _ in range(3):
        captured.call("reconcile", "order-1")
    (kept,) = (event for event in events() if isinstance(event, Discrepancy))
    assert kept.reason == "totals_differ"
    assert kept.evidence.totals == {"captured": 90, "refunded": 0}


def test_what_no_open_operation_explains_is_kept_once_and_leaves_it_open(
    captured, scripted, clock, events
):
    """40 may be 30 of ours and 10 of the portal's, or nothing of ours: nobody knows."""
    refunds(captured, 30)
    states(scripted, captured=100, refunded=40)
    for _ in range(3):
        clock.passes(hours=1)
        captured.recover()
    (kept,) = (event for event in events() if isinstance(event, Discrepancy))
    assert (kept.reason, kept.operation) == ("totals_differ", None)
    assert phases(captured) == [(30, "unknown")]


def test_where_exchanges_are_listed_as_well_they_are_what_counts(
    captured, scripted, clock, events
):
    refunds(captured, 30, 30)
    of_ours = [
        ListedExchange(command=name, outcome=Outcome.SUCCEEDED, amount=amount)
        for name, amount in (("authorize", 100), ("capture", 100), ("refund", 30))
    ]
    totals = {"captured": 100, "refunded": 30}
    scripted.once(INQUIRY, totals=totals, listing=tuple(of_ours))
    clock.passes(minutes=3)
    captured.recover()
    assert phases(captured) == [(30, "unknown")]
    events()


def test_what_fits_is_no_news(captured, scripted, store):
    states(scripted, captured=100, refunded=0, fees=3)
    finding = captured.call("reconcile", "order-1", record=False)
    assert (finding.readable, finding.events) == (True, ())
    captured.call("reconcile", "order-1")
    assert len(store.records("order-1")) == 4


# ── totals with a list of what has an id of its own ─────────────────────────────────


def listed(outcome, number, amount=30):
    return ListedExchange(
        command="refund",
        outcome=Outcome(outcome),
        amount=amount,
        operation=f"order-1.{number}",
    )


def test_what_is_listed_beside_totals_is_resolved_and_what_is_left_out_stays_open(
    captured, scripted, clock, events
):
    refunds(captured, 30, 30, 40)
    first, second, _ = captured.transaction().operations
    declined = listed("declined", second.rpartition(".")[2])
    scripted.once(
        INQUIRY, totals={"captured": 100, "refunded": 30}, listing=(declined,)
    )
    clock.passes(minutes=3)
    captured.recover()
    assert phases(captured) == [(40, "unknown")]
    assert first not in captured.transaction().operations
    assert captured.transaction().amounts["refunded"] == 30
    events()


def test_totals_that_lag_never_show_that_something_was_not_carried_out(
    captured, scripted, clock, monkeypatch
):
    refunds(captured, 30)
    monkeypatch.setattr(type(scripted), "totals_lag", frozenset({"refund"}))
    for _ in range(3):
        states(scripted, captured=100, refunded=0)
        clock.passes(hours=1)
        captured.recover()
    assert phases(captured) == [(30, "unknown")]
    monkeypatch.setattr(type(scripted), "totals_lag", frozenset())
    states(scripted, captured=100, refunded=0)
    clock.passes(hours=1)
    captured.recover()
    assert phases(captured) == []


def test_nothing_is_abandoned_while_totals_show_something(market, scripted, clock):
    scripted.once("authorize", "pending")
    market.asks("authorize", 100)
    for _ in range(3):
        states(scripted, authorized=100, captured=100)
        clock.passes(days=3)
        market.recover()
    assert phases(market) == [(100, "pending")]
