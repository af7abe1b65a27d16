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
)


@pytest.fixture
def told(story):
    return story("one_time", "authorize 100, capture? 60")


def test_each_end_stands_with_the_operation_that_it_ended(told):
    """What ended nothing, or has no beginning in this trail, is passed over."""
    begun = told.events[-1].operation
    evidence = told.evidence("capture")
    pending = Reported(told.now, begun.id, Outcome.PENDING, evidence)
    end = Reported(told.now, begun.id, Outcome.DECLINED, evidence)
    stranger = Reported(told.now, "order-1.9", Outcome.SUCCEEDED, evidence)
    lapsed = Lapsed(told.now, "authorization")
    attempts = Attempts([stranger, Begun(told.now, begun), pending, lapsed, end])
    assert [(e.operation, e.report) for e in attempts.ends] == [(begun, end)]
    assert (attempts.outside, attempts.version) == ([lapsed], 5)


def test_the_amount_of_an_end_is_the_one_stated_or_the_one_asked_for(told):
    (operation,) = told.transaction.operations.values()
    told.resolve(operation, Outcome.DECLINED, amount=50)
    told.tell("capture 60")
    assert [end.amount for end in told.attempts.ends] == [100, 50, 60]


def test_an_attempt_counts_its_requests_and_those_that_surely_ended(told):
    (operation,) = told.transaction.operations.values()
    told.resolve(operation, Outcome.UNKNOWN)
    told.append(Resent(told.now, operation.id))
    attempt = told.attempts.get(operation.id)
    assert (attempt.number, attempt.requests, attempt.acknowledged) == (3, 2, 0)
    told.resolve(operation)
    assert told.attempts.get(operation.id).acknowledged == 1


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
    told, outcome, more, acknowledged
):
    (operation,) = told.transaction.operations.values()
    told.resolve(operation, outcome, **more)
    assert told.attempts.get(operation.id).acknowledged == acknowledged


def test_attempts_that_take_in_the_next_event_are_those_of_the_longer_trail(told):
    attempts = Attempts(told.events[:-1])
    assert attempts.get("order-1.3") is None
    attempts.note(told.events[-1])
    assert attempts.version == told.transaction.version == 3
    assert [each.operation.id for each in attempts.of("capture")] == ["order-1.3"]


def test_a_refused_attempt_and_a_stranger_sent_again_are_no_attempts(told):
    attempts = told.attempts
    attempts.note(Denied(told.now, "refund", "k", "", ()))
    attempts.note(Resent(told.now, "order-1.9"))
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
    told, exchange, source, reason, since
):
    evidence = told.evidence("refund", exchange=exchange, source=source)
    for _ in range(2):
        told.append(Discrepancy(told.now, reason, evidence))
    listed = ListedExchange(
        command="refund", outcome=Outcome.SUCCEEDED, exchange=exchange and "A"
    )
    assert told.attempts.unmatched_since(listed) == since
    told.append(External(told.now, "refund", 5, evidence))
    assert told.attempts.unmatched_since(listed) is None or exchange == "B"
