"""What an event explains: the discrepancy closes by itself, and no other one does."""

import pytest

from kessai.evidence.outcome import resolve_external
from kessai.gateway import Outcome, Source
from kessai.machine import Discrepancy, External, Lapsed, Reported, Reversed
from kessai.machine.chain import AppliedEvent

INQUIRY, NOTIFIED, REPLY = Source.INQUIRY, Source.NOTIFICATION, Source.REPLY


def set_aside(past, command, amount=None, reason="operation_open", **stated):
    """The number of a discrepancy that states this."""
    evidence = past.evidence(command, amount=amount, **{"source": INQUIRY, **stated})
    past.append(Discrepancy(past.now, reason, evidence))
    return past.transaction.version


def applied(past, command, amount=None, **stated):
    """What the gateway did by itself, once the lifecycle allows it; what it closes."""
    evidence = past.evidence(command, amount=amount, **{"source": INQUIRY, **stated})
    event = resolve_external(past.machine, past.transaction, evidence, past.now)
    assert isinstance(event, External | Lapsed | Reversed)
    return closed_by(past, event)


def closed_by(past, event):
    before = past.transaction
    past.append(event)
    return AppliedEvent(event, past.machine, before, past.transaction).closes


REFUNDABLE = "authorize 900, capture"
CASES = [
    # the trail; what was set aside; what is applied; whether that explains it
    ("the gateway's id shows it", REFUNDABLE, {"exchange": "A"}, {"exchange": "A"}, 1),
    ("the ids are others", REFUNDABLE, {"exchange": "A"}, {"exchange": "B"}, 0),
    ("neither has an id", REFUNDABLE, {}, {}, 0),
    ("only the later one has an id", REFUNDABLE, {}, {"exchange": "A"}, 0),
    (
        "the first was notified, and a second is allowed",
        REFUNDABLE,
        {"exchange": "N", "source": NOTIFIED},
        {"exchange": "A"},
        0,
    ),
    (
        "another amount under the id",
        REFUNDABLE,
        {"exchange": "A", "amount": 99},
        {"exchange": "A"},
        0,
    ),
    (
        "an amount was missing under the id",
        REFUNDABLE,
        {"exchange": "A", "amount": None, "reason": "amount_missing"},
        {"exchange": "A"},
        1,
    ),
    (
        "it contradicts a reference",
        REFUNDABLE,
        {"exchange": "A", "reason": "reference_differs"},
        {"exchange": "A"},
        0,
    ),
    (
        "it was a decline",
        REFUNDABLE,
        {"exchange": "A", "outcome": Outcome.DECLINED},
        {"exchange": "A"},
        0,
    ),
]


@pytest.mark.parametrize(
    ("history", "aside", "later", "explained"),
    [pytest.param(*case[1:], id=case[0]) for case in CASES],
)
def test_a_refund_explains_what_is_certainly_it(
    story, history, aside, later, explained
):
    past = story("one_time", history)
    number = set_aside(past, **{"command": "refund", "amount": 100, **aside})
    closed = applied(past, "refund", 100, **later)
    assert closed == ((number,) if explained else ())
    assert list(past.transaction.discrepancies) == ([] if explained else [number])


def test_all_that_state_the_same_exchange_are_explained(story):
    past = story("one_time", REFUNDABLE)
    first = set_aside(past, "refund", 100, exchange="A")
    set_aside(past, "refund", 100, exchange="B")
    third = set_aside(past, "refund", 100, exchange="A", source=NOTIFIED)
    assert applied(past, "refund", 100, exchange="A") == (first, third)
    assert len(past.transaction.discrepancies) == 1


@pytest.mark.parametrize(
    ("command", "amount"), [("capture", 60), ("cancel", None), ("expire", None)]
)
def test_what_can_happen_only_once_needs_no_id(story, command, amount):
    past = story("one_time", "authorize 100")
    number = set_aside(past, command, amount, exchange="N", source=NOTIFIED)
    assert applied(past, command, amount, exchange="A") == (number,)


def test_of_two_that_happen_only_once_neither_is_chosen(story):
    past = story("one_time", "authorize 100")
    for name in ("N", "M"):
        set_aside(past, "capture", 60, exchange=name, source=NOTIFIED)
    assert applied(past, "capture", 60, exchange="A") == ()


def test_what_happens_once_has_another_id_in_the_same_list(story):
    past = story("one_time", "authorize 100")
    set_aside(past, "capture", 60, exchange="A")
    assert applied(past, "capture", 60, exchange="B") == ()


def test_the_last_refund_that_is_possible_explains_what_was_notified(story):
    past = story("one_time", "authorize 100, capture, refund 40")
    number = set_aside(past, "refund", 60, exchange="N", source=NOTIFIED)
    assert applied(past, "refund", 60, exchange="A") == (number,)


@pytest.mark.parametrize(
    ("outcome", "exchange", "explained"),
    [
        (Outcome.SUCCEEDED, "A", True),
        (Outcome.DECLINED, "A", False),
        (Outcome.PENDING, "A", False),
        (Outcome.SUCCEEDED, "R", True),  # a payment is captured once
    ],
)
def test_the_outcome_of_an_operation_explains_it(story, outcome, exchange, explained):
    past = story("one_time", "authorize 100, capture? 60")
    (operation,) = past.transaction.operations.values()
    number = set_aside(past, "capture", 60, exchange="A")
    evidence = past.evidence(
        "capture", source=REPLY, outcome=outcome, exchange=exchange
    )
    event = Reported(past.now, operation.id, outcome, evidence)
    assert closed_by(past, event) == ((number,) if explained else ())


def test_an_operation_of_another_amount_explains_nothing(story):
    past = story("one_time", "authorize 100, capture? 60")
    (operation,) = past.transaction.operations.values()
    set_aside(past, "capture", 50, reason="amount_differs", exchange="A")
    evidence = past.evidence("capture", source=REPLY, exchange="A")
    assert (
        closed_by(past, Reported(past.now, operation.id, Outcome.SUCCEEDED, evidence))
        == ()
    )


def test_what_the_lifecycle_does_not_allow_explains_nothing(story):
    past = story("one_time", "authorize 100, cancel")
    set_aside(past, "capture", 60, exchange="A")
    evidence = past.evidence("capture", amount=60, source=INQUIRY, exchange="A")
    assert closed_by(past, External(past.now, "capture", 60, evidence)) == ()


def test_a_deadline_that_passed_by_the_clock_explains_nothing(story):
    past = story("one_time", "authorize 100")
    set_aside(past, "expire", source=INQUIRY)
    assert closed_by(past, Lapsed(past.now, "authorization")) == ()


@pytest.mark.parametrize(
    ("stated", "later", "explained"),
    [
        ({"captured": 60}, {"captured": 60}, True),
        ({"captured": 60}, {"captured": 60, "refunded": 0, "fees": 3}, True),
        ({"captured": 60}, {"captured": 61}, False),
        ({"captured": 60, "refunded": 0}, {"captured": 60}, False),
        ({"captured": 60}, {}, False),
        ({"captured": 50}, {"captured": 60}, True),  # it differed, and agrees by now
    ],
)
def test_totals_are_explained_once_they_agree(story, stated, later, explained):
    past = story("one_time", "authorize 100")
    number = set_aside(past, None, reason="totals_differ", totals=stated)
    closed = applied(past, "capture", 60, totals=later)
    assert closed == ((number,) if explained else ())
