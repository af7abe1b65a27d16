"""What explains the totals that a gateway states, weighed against one trail."""

from datetime import timedelta

import pytest

from kessai.evidence.absence import Missing, Presumption
from kessai.evidence.totals import TOTALS_DIFFER, read_totals, resolve_totals
from kessai.gateway import Outcome, Source
from kessai.machine import Discrepancy, External, Reported

MOMENT = timedelta(microseconds=1)


@pytest.fixture
def order(story):
    return story("one_time", "authorize 1000, capture")


def refunds(order, *amounts):
    """Refunds whose replies were lost."""
    found = [order.begin("refund", amount) for amount in amounts]
    for operation in found:
        order.resolve(operation, Outcome.UNKNOWN)
    return found


def stated(order, **totals):
    return order.evidence(None, source=Source.INQUIRY, totals=totals)


def explains(order, **totals):
    """The events that explain `totals`, each in a few words."""
    return [
        words(event) for event in resolve_totals(order.case, stated(order, **totals))
    ]


def words(event):
    assert event.evidence.source is Source.INQUIRY
    match event:
        case Reported():
            return f".{event.operation.rpartition('.')[2]} {event.evidence.command}"
        case External():
            return f"external {event.command} {event.amount}"
        case _:
            return event.reason


def test_what_is_only_prepared_may_have_been_sent_by_a_store_that_was_lost(order):
    refunds(order, 1)
    assert explains(order, refunded=1) == [".5 refund"]
    order.begin("refund", 1, prepared=True)
    assert explains(order, refunded=1) == []
    assert explains(order, refunded=2) == [TOTALS_DIFFER]


def test_what_is_only_prepared_explains_nothing_by_itself(order):
    order.begin("refund", 30, prepared=True)
    evidence = stated(order, refunded=30)
    expected = Discrepancy(order.now, TOTALS_DIFFER, evidence)
    assert resolve_totals(order.case, evidence) == (expected,)


def test_a_reply_that_is_awaited_decides_before_the_totals_do(order):
    operation = order.begin("refund", 30)
    assert explains(order, refunded=30) == []
    order.resolve(operation, Outcome.UNKNOWN)
    assert explains(order, refunded=30) == [".5 refund"]


def test_with_more_than_eight_open_operations_no_combination_is_tried(order):
    refunds(order, *(2**power for power in range(8)))
    assert len(explains(order, refunded=255)) == 8
    refunds(order, 256)
    assert explains(order, refunded=1) == []


def test_what_may_be_either_of_two_commands_of_others_is_kept_as_a_difference(story):
    """It was cancelled in the portal, or has expired there."""
    past = story("one_time", "authorize 100")
    assert explains(past, released=100) == [TOTALS_DIFFER]


@pytest.mark.parametrize("amount", [1, 30])
def test_what_one_command_of_others_explains_is_external(order, amount):
    """A total of which the lifecycle knows nothing says nothing."""
    assert explains(order, refunded=amount, surcharged=7) == [
        f"external refund {amount}"
    ]


def test_while_one_is_open_nothing_is_explained_by_others_alone(order):
    order.tell("refund 30")
    refunds(order, 20)
    assert explains(order, refunded=0) == [TOTALS_DIFFER]
    assert explains(order, refunded=60) == [TOTALS_DIFFER]


def test_what_the_totals_do_not_show_is_presumed_of_what_can_no_longer_arrive(order):
    (refund,) = refunds(order, 30)
    evidence = stated(order, refunded=0)
    early = Presumption(refund.sent_at - MOMENT, Missing.KEEP)
    assert read_totals(order.case, evidence, early) == ()
    in_time = Presumption(refund.sent_at, Missing.KEEP)
    (unlisted,) = read_totals(order.case, evidence, in_time)
    assert unlisted.id == refund.id
