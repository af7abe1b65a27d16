"""A trail folded into attempts: what was sent, what was reported of it, and the rest."""

import pytest

from kessai.evidence.attempts import Attempts
from kessai.gateway import ListedExchange, Outcome, Source
from kessai.machine import (
    Begun,
    Denied,
    Discrepancy,
    External,
    Lapsed,
    Reported,
    Resent,
    Reversed,
    Sent,
)


@pytest.fixture
def past(story):
    return story("one_time", "authorize 100, capture? 60")


def test_each_end_stands_with_the_operation_that_it_ended(past):
    """What ended nothing, or has no beginning in this trail, is passed over."""
    begun = past.events[-1].operation
    evidence = past.evidence("capture")
    pending = Reported(past.now, begun.id, Outcome.PENDING, evidence)
    end = Reported(past.now, begun.id, Outcome.DECLINED, evidence)
    stranger = Reported(past.now, "order-1.9", Outcome.SUCCEEDED, evidence)
    lapsed = Lapsed(past.now, "authorization")
    attempts = Attempts([stranger, Begun(past.now, begun), pending, lapsed, end])
    assert [(e.operation, e.report) for e in attempts.ends] == [(begun, end)]
    assert attempts.outside == [("expire", None, Outcome.SUCCEEDED)]
    assert attempts.version == 5


def test_the_amount_of_an_end_is_the_one_stated_or_the_one_asked_for(past):
    (operation,) = past.transaction.operations.values()
    past.resolve(operation, Outcome.DECLINED, amount=50)
    past.tell("capture 60")
    assert [end.amount for end in past.attempts.ends] == [100, 50, 60]


def test_an_attempt_counts_its_requests_and_those_that_surely_ended(past):
    (operation,) = past.transaction.operations.values()
    past.resolve(operation, Outcome.UNKNOWN)
    past.append(Resent(past.now, operation.id))
    attempt = past.attempts.get(operation.id)
    assert (attempt.number, attempt.requests, attempt.acknowledged) == (3, 2, 0)
    past.resolve(operation)
    assert past.attempts.get(operation.id).acknowledged == 1


@pytest.mark.parametrize(
    ("outcome", "more", "acknowledged"),
    [
        (Outcome.SUCCEEDED, {}, 1),
        (Outcome.DECLINED, {}, 1),
        (Outcome.DECLINED, {"never_sent": True}, 1),
        (Outcome.PENDING, {}, 0),
        (Outcome.UNKNOWN, {}, 0),
        # Presumed lost: it may arrive all the same.
        (Outcome.DECLINED, {"never_sent": True, "source": Source.INQUIRY}, 0),
        (Outcome.DECLINED, {"source": Source.INQUIRY}, 1),
        (Outcome.DECLINED, {"source": Source.OPERATOR}, 0),
        (Outcome.SUCCEEDED, {"source": Source.OPERATOR}, 1),
    ],
)
def test_only_what_surely_ended_acknowledges_a_request(
    past, outcome, more, acknowledged
):
    (operation,) = past.transaction.operations.values()
    past.resolve(operation, outcome, **more)
    assert past.attempts.get(operation.id).acknowledged == acknowledged


def test_attempts_that_take_in_the_next_event_are_those_of_the_longer_trail(past):
    attempts = Attempts(past.events[:-1])
    assert attempts.get("order-1.3") is None
    attempts.note(past.events[-1])
    assert attempts.version == past.transaction.version == 3
    assert [each.operation.id for each in attempts.of("capture")] == ["order-1.3"]


def test_a_refused_attempt_and_a_stranger_sent_again_are_no_attempts(past):
    attempts = past.attempts
    attempts.note(Denied(past.now, "refund", "k", "", ()))
    attempts.note(Resent(past.now, "order-1.9"))
    assert list(attempts.of("refund")) == []
    assert attempts.get("order-1.9") is None
    assert attempts.version == 5


@pytest.mark.parametrize(
    ("exchange", "source", "reason", "since"),
    [
        ("A", Source.INQUIRY, "amount_missing", 4),
        ("B", Source.INQUIRY, "amount_missing", None),
        (None, Source.INQUIRY, "amount_missing", None),
        ("A", Source.NOTIFICATION, "amount_missing", None),
        # It was applied, in doubt.
        ("A", Source.INQUIRY, "may_be_another", None),
    ],
)
def test_what_fitted_nothing_is_known_since_it_was_first_listed(
    past, exchange, source, reason, since
):
    evidence = past.evidence("refund", exchange=exchange, source=source)
    for _ in range(2):
        past.append(Discrepancy(past.now, reason, evidence))
    listed = ListedExchange(
        command="refund", outcome=Outcome.SUCCEEDED, exchange=exchange and "A"
    )
    assert past.attempts.unmatched_since(listed) == since
    past.append(External(past.now, "refund", 5, evidence))
    assert past.attempts.unmatched_since(listed) is None or exchange == "B"


@pytest.mark.parametrize(
    ("history", "outside", "lasting"),
    [
        ("refund 30, refund 50", "", {30, 50}),
        ("refund! 30, refund? 50", "", set()),
        ("refund 30", "-30", set()),
        ("refund 30, refund 30", "-30", {30}),
        ("refund 30", "+40", {30, 40}),
        ("refund 30, refund 30", "+30 -30 -30", {30}),
        ("refund 30", "+30 -30 -30", set()),
        ("", "+30 +30 -30", {30}),
        ("", "+30 -30", set()),
    ],
)
def test_a_success_lasts_until_as_many_like_it_were_taken_back(
    story, history, outside, lasting
):
    """In the portal 30 were refunded (+30), or a refund of 30 came back (-30)."""
    past = story("one_time", f"authorize 100, capture, {history}")
    attempts = past.attempts
    for word in outside.split():
        kind = External if word[0] == "+" else Reversed
        evidence = past.evidence("refund", amount=int(word[1:]))
        attempts.note(kind(past.now, "refund", int(word[1:]), evidence))
    assert attempts.lasting("refund") == lasting
    assert attempts.lasting("capture") == {100}


def test_what_is_prepared_is_an_attempt_from_when_it_was_sent(story):
    past = story("one_time", "authorize 100")
    capture = past.begin("capture", 60, prepared=True)
    assert past.attempts.get(capture.id) is None
    past.append(Sent(past.now, capture.id))
    past.append(Sent(past.now, "order-1.9"))
    attempt = past.attempts.get(capture.id)
    assert (attempt.operation, attempt.number) == (capture, 4)
    assert past.attempts.get("order-1.9") is None


@pytest.mark.parametrize("by", ["our id", "the gateway's"])
def test_a_listed_decline_may_be_of_any_request_of_what_was_sent_again(past, by):
    """Its other request may have succeeded; a success is that of either."""
    (operation,) = past.transaction.operations.values()
    past.resolve(operation, Outcome.PENDING, exchange="X")
    ids = {"operation": operation.id} if by == "our id" else {"exchange": "X"}
    listed = {
        outcome: ListedExchange(command="capture", outcome=outcome, **ids)
        for outcome in (Outcome.SUCCEEDED, Outcome.DECLINED)
    }
    attempts = past.attempts
    attempt = attempts.get(operation.id)
    assert attempts.identified(listed[Outcome.DECLINED]) is attempt
    attempts.note(Resent(past.now, operation.id))
    assert attempts.identified(listed[Outcome.DECLINED]) is None
    assert attempts.identified(listed[Outcome.SUCCEEDED]) is attempt


def test_what_was_reported_with_an_id_is_no_longer_unmatched(past):
    evidence = past.evidence("capture", exchange="A", source=Source.INQUIRY)
    past.append(Discrepancy(past.now, "amount_missing", evidence))
    listed = ListedExchange(command="capture", outcome=Outcome.SUCCEEDED, exchange="A")
    assert past.attempts.unmatched_since(listed) == 4
    (operation,) = past.transaction.operations.values()
    past.resolve(operation, exchange="A")
    assert past.attempts.unmatched_since(listed) is None
