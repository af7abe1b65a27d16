"""Counting what a look-up lists: news settles what is open, the rest came from outside.

Each case is a history, the gateway's list, and the events that bring both in step. In
a list `capture 600` succeeded, `capture! 600` failed, `capture~ 600` is pending.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kessai.gateway import Fact, Outcome
from kessai.machine import Denied, Discrepancy, External, Lapsed, Phase, Reported
from kessai.machine.facts import settle_facts

MARKS = {"!": Outcome.DECLINED, "~": Outcome.PENDING, "?": Outcome.UNKNOWN}


def listed(line):
    facts = []
    for item in filter(None, map(str.strip, line.split(","))):
        name, *amount = item.split()
        facts.append(
            Fact(
                command=name.rstrip("!~?"),
                outcome=MARKS.get(name[-1], Outcome.SUCCEEDED),
                amount=int(amount[0]) if amount else None,
            )
        )
    return facts


def look_up(told, line):
    """Settle from a list; what it made, each event in a few words."""
    events = list(
        settle_facts(
            told.machine, told.transaction, list(told.events), listed(line), told.now
        )
    )
    for event in events:
        told.append(event)
    return ", ".join(map(words, events))


def words(event):
    match event:
        case Reported(operation=name, outcome=outcome):
            return f"{name.removeprefix('order-1')} {outcome}"
        case External(command=command, amount=amount):
            return f"external {command}" + (f" {amount}" if amount else "")
        case Discrepancy(reason=reason):
            return f"discrepancy {reason}"
        case Lapsed():
            return "lapsed"


CASES = [
    # history | what the gateway lists | what follows
    ("authorize? 100", "authorize 100", ".1 succeeded"),
    ("authorize? 100", "authorize! 100", ".1 declined"),
    ("authorize? 100", "authorize~ 100", ".1 pending"),
    ("authorize? 100", "", ""),
    ("authorize? 100", "authorize? 100", ""),
    ("authorize? 100", "authorize", ".1 succeeded"),
    ("authorize 100", "authorize 100", ""),
    ("authorize 100", "authorize 100, capture 60", "external capture 60"),
    ("authorize 100, capture? 60", "authorize 100, capture 60", ".3 succeeded"),
    ("authorize 100, capture? 60", "authorize 100, capture! 60", ".3 declined"),
    ("authorize 100, capture? 60", "authorize 100, capture~ 60", ".3 pending"),
    ("authorize 100, capture? 60", "authorize 100, capture", ".3 succeeded"),
    ("authorize 100, capture 60", "authorize 100, capture 60", ""),
    ("authorize 100, capture! 60", "authorize 100, capture! 60", ""),
    ("authorize 100, capture! 60", "authorize 100, capture!", ""),
    # Its amount differs from what was asked: nobody asked for that.
    ("authorize 100, capture? 60", "capture 50", "discrepancy operation_open"),
    # A failure listed earlier is not the fate of the second attempt.
    (
        "authorize 100, capture! 60, capture? 60",
        "authorize 100, capture! 60",
        "",
    ),
    (
        "authorize 100, capture! 60, capture? 60",
        "authorize 100, capture! 60, capture! 60",
        ".5 declined",
    ),
    (
        "authorize 100, capture! 60, capture? 60",
        "authorize 100, capture! 60, capture 60",
        ".5 succeeded",
    ),
    # Two equal refunds, of which one has arrived already.
    (
        "authorize 200, capture, refund 60, refund? 60",
        "authorize 200, capture 200, refund 60",
        "",
    ),
    (
        "authorize 200, capture, refund 60, refund? 60",
        "authorize 200, capture 200, refund 60, refund 60",
        ".7 succeeded",
    ),
    # An amount that the list does not tell takes what the told ones leave.
    ("authorize 200, capture, refund 60, refund 50", "refund, refund 60", ""),
    (
        "authorize 200, capture, refund 60, refund? 50",
        "refund, refund 60",
        ".7 succeeded",
    ),
    # Both may be in flight: one success on the list could be either's.
    ("authorize 200, capture, refund? 60, refund? 60", "refund 60", ""),
    (
        "authorize 200, capture, refund? 60, refund? 60",
        "refund 60, refund 60",
        ".5 succeeded, .6 succeeded",
    ),
    ("authorize 200, capture, refund? 60, refund? 50", "refund 50", ".6 succeeded"),
    ("authorize 200, capture, refund? 60, refund? 50", "refund", ""),
    (
        "authorize 200, capture, refund? 60",
        "refund 60, refund 30",
        ".5 succeeded, external refund 30",
    ),
    ("authorize 200, capture, refund? 60", "refund 30", "external refund 30"),
    # Outside: applied where allowed, else kept.
    ("authorize 100", "authorize 100, cancel", "external cancel"),
    ("authorize 100", "authorize 100, cancel 100", "external cancel"),
    ("authorize 100, cancel", "authorize 100, cancel 100", ""),
    ("authorize 100, capture", "capture 100, refund 30", "external refund 30"),
    ("authorize 100, capture", "refund 300", "discrepancy amount_out_of_bounds"),
    ("authorize 100, capture", "cancel", "discrepancy state_not_allowed"),
    ("authorize 100, capture", "refund", "discrepancy amount_missing"),
    ("authorize 100", "expire", "lapsed"),
    ("authorize 100, expire", "expire", ""),
    ("authorize 100, capture", "expire", "discrepancy state_not_allowed"),
    ("authorize 100", "capture! 60, refund~ 5, cancel?", ""),
    ("authorize 100", "get_address, get_address!", ""),
    ("authorize 100, get_address?", "get_address", ""),
    ("authorize 100", "chargeback 100", "discrepancy not_in_lifecycle"),
    ("authorize 100", "chargeback! 100", ""),
    # Our attempt failed because it had happened outside before.
    (
        "authorize 100, capture? 60",
        "authorize 100, cancel, capture! 60",
        ".3 declined, external cancel",
    ),
    ("authorize 100, capture? 60", "capture! 60, expire", ".3 declined, lapsed"),
    # The amount of an application may change on the merchant's page.
    (
        "authorize? 100 merchant_page, update_authorization? 150",
        "authorize 150, update_authorization 150",
        ".2 succeeded, .1 succeeded",
    ),
    (
        "authorize? 100 merchant_page, update_authorization? 150",
        "authorize 100, update_authorization! 150",
        ".2 declined, .1 succeeded",
    ),
    (
        "authorize? 100 merchant_page",
        "authorize 150, update_authorization 150",
        "external update_authorization 150, .1 succeeded",
    ),
    # The consumer had finished before the update came: both happened, in this order.
    (
        "authorize? 100 merchant_page, update_authorization? 150",
        "authorize 100, update_authorization 150",
        ".2 succeeded, .1 succeeded",
    ),
    (
        "authorize? 100 merchant_page, update_authorization? 150",
        "authorize 120, update_authorization 150",
        ".2 succeeded, discrepancy amount_differs",
    ),
    (
        "authorize? 100 merchant_page, update_authorization 150",
        "authorize 100, chargeback 1",
        "discrepancy not_in_lifecycle, discrepancy amount_differs",
    ),
    (
        "authorize? 100 merchant_page, get_address?",
        "authorize 99, update_authorization 150",
        "external update_authorization 150, discrepancy amount_differs",
    ),
    ("authorize? 100", "authorize 99", "discrepancy amount_differs"),
    ("authorize 100", "authorize 99", ""),
]


@pytest.mark.parametrize(("history", "gateway", "expected"), CASES)
def test_a_look_up_brings_the_transaction_in_step(story, history, gateway, expected):
    found = look_up(story("one_time", history), gateway)
    assert sorted(found.split(", ")) == sorted(expected.split(", "))


@pytest.mark.parametrize(("history", "gateway", "expected"), CASES)
def test_the_same_list_a_second_time_is_no_news(story, history, gateway, expected):
    told = story("one_time", history)
    look_up(told, gateway)
    assert look_up(told, gateway) == ""


def test_pending_and_then_done_are_two_pieces_of_news(story):
    told = story("one_time", "authorize 100, capture? 60")
    assert look_up(told, "capture~ 60") == ".3 pending"
    assert look_up(told, "capture~ 60") == ""
    assert look_up(told, "capture 60") == ".3 succeeded"
    assert look_up(told, "capture~ 60, capture 60") == ""


def test_pending_never_falls_back_to_unknown(story):
    told = story("one_time", "authorize 100, capture? 60")
    look_up(told, "capture~ 60")
    look_up(told, "capture? 60")
    (operation,) = told.transaction.operations.values()
    assert operation.phase is Phase.PENDING


def test_what_waits_for_an_open_operation_is_applied_once_that_has_ended(story):
    told = story("one_time", "authorize 100, capture? 60")
    assert look_up(told, "cancel") == "discrepancy operation_open"
    assert look_up(told, "cancel") == ""
    (operation,) = told.transaction.operations.values()
    told.settle(operation, Outcome.DECLINED)
    assert look_up(told, "cancel") == "external cancel"
    assert look_up(told, "cancel") == ""
    assert told.status == "payment.cancelled"


def test_two_unknown_refunds_alike_take_the_successes_in_turn(story):
    told = story("one_time", "authorize 200, capture, refund? 60, refund? 60")
    for operation in tuple(told.transaction.operations.values()):
        told.settle(operation, Outcome.UNKNOWN)
    assert look_up(told, "refund 60") == ".5 succeeded"
    assert look_up(told, "refund 60, refund 60") == ".6 succeeded"


def test_a_success_told_by_a_push_is_not_counted_again_for_another(story):
    told = story("one_time", "authorize 200, capture, refund? 60, refund? 60")
    first, _ = told.transaction.operations.values()
    told.settle(first, amount=60)
    assert look_up(told, "refund 60") == ""
    assert len(told.transaction.operations) == 1


def test_what_was_told_with_the_amount_of_the_whole_is_not_news_without_it(story):
    told = story("one_time", "authorize 100, cancel?")
    (operation,) = told.transaction.operations.values()
    told.settle(operation, amount=100)
    assert look_up(told, "cancel") == ""
    assert look_up(told, "cancel 100") == ""


def test_what_never_left_is_not_the_failure_that_the_gateway_lists(story):
    told = story("one_time", "authorize 100, capture? 60")
    (operation,) = told.transaction.operations.values()
    told.settle(operation, Outcome.DECLINED, never_sent=True)
    told.tell("capture? 60")
    assert look_up(told, "capture! 60") == ".5 declined"


def test_evidence_kept_before_the_transaction_came_to_be_does_not_hide_the_answer(
    story,
):
    told = story("one_time")
    evidence = told.evidence("authorize", amount=100)
    told.append(Discrepancy(told.now, "unknown_transaction", evidence))
    told.begin("authorize", 100)
    assert look_up(told, "authorize 100") == ".2 succeeded"


def test_a_denied_attempt_accounts_for_nothing(story):
    told = story("one_time", "authorize 100")
    denial = told.ask("refund", 60)
    told.append(Denied(told.now, "refund", "k", "", denial.reasons, 60))
    assert look_up(told, "authorize 100, capture 100, refund 60") == (
        "external capture 100, external refund 60"
    )


def test_in_a_recurring_payment_the_consent_is_settled_with_the_payment(story):
    told = story("recurring", "authorize? 100")
    assert look_up(told, "authorize 100, capture 100, terminate") == (
        ".1 succeeded, external capture 100, external terminate"
    )
    assert told.status == "consent.terminated payment.captured"


OURS = st.lists(
    st.tuples(st.sampled_from([10, 20]), st.booleans()), min_size=1, max_size=6
)


@given(OURS, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_a_complete_list_settles_everything_in_any_order(story, ours, random):
    """Whatever each refund's fate, a list of them all ends them all, and adds up."""
    told = story("one_time", "authorize 1000, capture")
    facts = []
    for amount, went_well in ours:
        told.settle(told.begin("refund", amount), Outcome.UNKNOWN)
        facts.append(f"refund{'' if went_well else '!'} {amount}")
    random.shuffle(facts)
    look_up(told, ", ".join(facts))
    assert told.transaction.operations == {}
    refunded = sum(amount for amount, went_well in ours if went_well)
    assert told.amounts("refunded", "refunding") == (refunded, 0)
    assert look_up(told, ", ".join(facts)) == ""
