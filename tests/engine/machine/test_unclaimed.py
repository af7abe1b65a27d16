"""What the gateway shows as done and nobody claims: an equal command asks first."""

import pytest

from kessai.gateway import Outcome, Source
from kessai.machine import Discrepancy, External
from kessai.machine.decide import possibility

ASKS = "external_unclaimed"


@pytest.fixture
def order(story):
    return story("one_time", "authorize 1000, capture")


def happens(order, command, amount, **more):
    """Somebody carries it out at the gateway; the number of the event that shows it."""
    evidence = order.evidence(command, amount=amount, source=Source.INQUIRY, **more)
    order.append(External(order.now, command, amount, evidence))
    return order.transaction.version


def differs(order, reason, command, amount=None, outcome=Outcome.SUCCEEDED):
    evidence = order.evidence(command, outcome, amount, source=Source.NOTIFICATION)
    order.append(Discrepancy(order.now, reason, evidence))
    return order.transaction.version


def possible(order, command):
    return possibility(order.machine, order.transaction, command, order.now)


def test_an_equal_command_is_denied_and_says_what_was_seen(order):
    event = happens(order, "refund", 400)
    denial = order.ask("refund", 400)
    assert denial.codes == (ASKS,)
    for language in ("en", "ja"):
        (sentence,) = denial.sentences(language)
        assert "kessai tx close order-1 EVENT" in sentence
        assert str(event) in sentence
    order.close(event)
    assert order.codes("refund", 400) == "ok"


def test_another_amount_and_another_command_are_not_equal(order):
    happens(order, "refund", 400)
    assert order.codes("refund", 300) == "ok"
    assert order.codes("get_address") == "ok"


def test_the_rest_that_is_taken_by_default_is_an_amount_like_others(order):
    event = happens(order, "refund", 500)
    assert order.codes("refund") == ASKS
    order.close(event)
    assert order.ask("refund").amount == 500


def test_of_two_equal_ones_each_is_closed_by_itself(order):
    first, second = happens(order, "refund", 300), happens(order, "refund", 300)
    assert f"event {first}, {second}." in str(order.ask("refund", 300))
    order.close(first)
    assert f"event {second}." in str(order.ask("refund", 300))
    order.close(second)
    assert order.codes("refund", 300) == "ok"


def test_what_is_possible_says_which_amounts_ask_first(order):
    event = happens(order, "refund", 400)
    found = possible(order, "refund")
    assert found.is_allowed
    assert (found.bounds.minimum, found.bounds.maximum) == (1, 600)
    assert [(one.event, one.amount) for one in found.unclaimed] == [(event, 400)]
    assert [found.asks_first(amount) for amount in (None, 400, 600)] == [0, 1, 0]


def test_where_no_other_amount_is_left_nothing_is_possible(order):
    happens(order, "refund", 998)
    happens(order, "refund", 1)
    found = possible(order, "refund")
    assert (found.bounds.minimum, found.bounds.maximum) == (1, 1)
    assert found.denial.codes == (ASKS,)


def test_a_sum_may_hold_any_smaller_amount(order):
    """A gateway that states totals alone may have refunded 100 and 300."""
    happens(order, "refund", 400, totals={"refunded": 400})
    assert {order.codes("refund", amount) for amount in (1, 300, 400)} == {ASKS}
    assert order.codes("refund", 401) == "ok"
    assert possible(order, "refund").is_allowed
    happens(order, "refund", 350, totals={"refunded": 750})
    assert possible(order, "refund").denial.codes == (ASKS,)


def test_a_success_that_was_kept_as_a_discrepancy_has_moved_something_too(order):
    event = differs(order, "not_listed", "refund", 400)
    assert order.codes("refund", 400) == ASKS
    order.close(event)
    assert order.transaction.discrepancies == {}
    assert order.codes("refund", 400) == "ok"


def test_one_without_an_amount_may_be_of_any(order):
    differs(order, "amount_missing", "refund")
    assert order.codes("refund", 7) == ASKS
    assert possible(order, "refund").denial.codes == (ASKS,)


def test_a_command_that_takes_no_amount_is_equal_whatever_the_gateway_states(story):
    order = story("one_time", "authorize 1000")
    differs(order, "operation_open", "cancel", 1000)
    assert order.codes("cancel") == ASKS


@pytest.mark.parametrize("reason", ["may_be_another", "reference_differs"])
def test_what_an_operation_claims_or_another_payment_asks_nothing(order, reason):
    differs(order, reason, "refund", 400)
    assert order.codes("refund", 400) == "ok"


def test_a_decline_at_the_gateway_has_moved_nothing(order):
    differs(order, "not_listed", "refund", 400, Outcome.DECLINED)
    assert order.codes("refund", 400) == "ok"


def test_an_order_that_only_the_gateway_has_is_not_opened_again_unasked(story):
    order = story("one_time")
    evidence = order.evidence("authorize", amount=1200, source=Source.NOTIFICATION)
    found = Discrepancy(order.now, "unknown_transaction", evidence)
    machine, order.machine = order.machine, None  # no lifecycle is known
    order.append(found)
    order.machine = machine
    assert order.codes("authorize", 1200, lifecycle="one_time") == ASKS
    order.close(1)
    assert order.codes("authorize", 1200, lifecycle="one_time") == "ok"
