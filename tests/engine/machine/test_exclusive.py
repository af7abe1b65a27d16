"""What may be under way together, and what must wait for the other to end."""

import pytest

from kessai.evidence.outcome import resolve_external
from kessai.gateway import Outcome
from kessai.machine import Begun, External, Reported, broken_invariants

BUSY = "operation_open"


@pytest.mark.parametrize(
    ("lifecycle", "history", "asked", "code"),
    [
        ("one_time", "authorize 100, capture? 50", "capture 50", BUSY),
        ("one_time", "authorize 100, capture? 50", "cancel", BUSY),
        ("one_time", "authorize 100, cancel?", "capture 50", BUSY),
        ("one_time", "authorize 100, cancel?", "update_authorization 5", BUSY),
        ("one_time", "authorize 100, update_authorization? 9", "capture 9", BUSY),
        ("one_time", "authorize 100, capture? 50", "get_address", "ok"),
        ("one_time", "authorize 100, get_address?", "capture 50", "ok"),
        ("one_time", "authorize 100, capture, refund? 50", "refund 50", "ok"),
        (
            "one_time",
            "authorize? 100 merchant_page, update_authorization? 9",
            "update_authorization 9",
            BUSY,
        ),
        # The consent and the payment are two things under one id.
        ("recurring", "authorize 100, capture? 50", "terminate", "ok"),
        ("recurring", "authorize 100, capture? 50", "update_consent 9", "ok"),
        ("recurring", "authorize 100, terminate?", "capture 50", "ok"),
        ("recurring", "authorize 100, terminate?", "update_consent 9", BUSY),
        ("recurring", "authorize 100, update_consent? 9", "terminate", BUSY),
    ],
)
def test_a_command_excludes_what_moves_the_same_track(
    story, lifecycle, history, asked, code
):
    command, *amount = asked.split()
    assert story(lifecycle, history).codes(command, *map(int, amount)) == code


@pytest.mark.parametrize("outcome", [None, Outcome.UNKNOWN, Outcome.PENDING])
def test_a_capture_without_an_answer_keeps_out_every_other_capture(story, outcome):
    """Kill Bill #1015, #639: a new capture while the first was unknown, charged twice."""
    past = story("one_time", "authorize 100")
    operation = past.begin("capture", 50)
    if outcome is not None:
        past.resolve(operation, outcome)
    assert past.codes("capture", 50) == BUSY
    phase = outcome or "begun"
    assert f"capture ({phase})" in str(past.ask("capture", 50))


def test_a_cancel_is_never_undone_into_a_new_capture(story):
    """Kill Bill #514: void-on-capture made authorize, void, capture legal."""
    past = story("one_time", "authorize 100, cancel")
    assert past.codes("capture") == "state_not_allowed"
    captured = story("one_time", "authorize 100, capture")
    assert captured.codes("cancel") == "state_not_allowed"


def test_refunds_overlap_and_end_in_any_order(story):
    past = story("one_time", "authorize 100, capture")
    first, second, third = (past.begin("refund", amount) for amount in (50, 30, 20))
    assert past.amounts("refunding", "refunded") == (100, 0)
    past.resolve(second)
    past.resolve(first, Outcome.DECLINED)
    past.resolve(third)
    assert past.amounts("refunding", "refunded") == (0, 50)
    assert past.status == "payment.partially_refunded"
    past.tell("refund 50")
    assert past.status == "payment.refunded"
    assert broken_invariants(past.machine, past.transaction) == ()


def test_an_update_before_the_authorization_raises_what_it_then_commits(story):
    """F2: on the merchant's page the amount may still change, up to the consent."""
    past = story("one_time", "authorize? 1000 merchant_page, update_authorization 1500")
    assert past.amounts("authorizing", "authorized") == (1500, 0)
    assert past.status == "payment.requested"
    assert past.transaction.deadlines.keys() == {"authorization"}
    (operation,) = past.transaction.operations.values()
    past.resolve(operation, amount=1500)
    assert past.amounts("authorizing", "authorized") == (0, 1500)
    assert past.status == "payment.authorized"
    assert past.codes("capture", 1500) == "ok"


def test_an_update_before_a_recurring_authorization_is_not_of_the_consent(story):
    """O6 changes the authorization; only R9 changes the terms."""
    past = story("recurring", "authorize? 10 merchant_page, update_authorization 15")
    (operation,) = past.transaction.operations.values()
    past.resolve(operation, amount=15)
    assert past.amounts("agreed", "authorized") == (10, 15)


def test_an_update_after_the_authorization_changes_what_can_be_captured(story):
    past = story("one_time", "authorize 1000, update_authorization 400")
    assert past.amounts("authorized", "authorizing") == (400, 0)
    assert past.codes("capture", 401) == "amount_above_maximum"


def test_a_read_changes_nothing_whatever_comes_of_it(story):
    for mark in ("", "!"):
        past = story("one_time", f"authorize 1000, get_address{mark}")
        assert past.status == "payment.authorized"
        assert past.transaction.operations == {}


def test_a_read_ends_at_once_even_without_an_answer(story):
    past = story("one_time", "authorize 1000, get_address?")
    (operation,) = past.transaction.operations.values()
    event = past.resolve(operation, Outcome.UNKNOWN)
    assert isinstance(event, Reported)
    assert event.outcome is Outcome.DECLINED
    assert past.transaction.operations == {}


def test_a_read_begun_before_the_opening_failed_still_ends(story):
    past = story("one_time", "authorize? 1000 merchant_page, get_address?")
    opening, read = past.transaction.operations.values()
    past.resolve(opening, Outcome.DECLINED)
    assert past.status == "payment.failed"
    past.resolve(read)
    assert past.transaction.operations == {}


def test_a_charge_is_bound_to_its_agreement_from_the_first_event(story):
    past = story("charge", "reauthorize? 100")
    assert past.transaction.agreement == "agreement-1"
    assert isinstance(past.events[0], Begun)
    assert past.events[0].agreement == "agreement-1"


@pytest.mark.parametrize(
    ("agreement", "codes"),
    [
        ("authorize 500 consent_only", "ok"),
        ("authorize 500", "ok"),
        ("authorize 500, capture, refund", "ok"),
        ("authorize 500, update_consent? 9", "ok"),
        ("authorize 500, terminate!", "ok"),
        ("", "agreement_unknown"),
        ("authorize? 500", "agreement_state"),
        ("authorize! 500", "agreement_state"),
        ("authorize 500, terminate", "agreement_state"),
        ("authorize 500, terminate?", "agreement_operation_open"),
    ],
)
def test_a_charge_needs_a_consent_that_nobody_ends(story, agreement, codes):
    under = story("recurring", agreement, "agreement-1")
    assert story("charge").codes("reauthorize", 100, under=under) == codes


def test_a_charge_says_which_agreement_is_missing_or_of_another_kind(story):
    past = story("charge")
    assert past.codes("reauthorize", 100) == "agreement_missing"
    denial = past.ask("reauthorize", 100, agreement="nobody")
    assert denial.codes == ("agreement_unknown",)
    assert denial.reasons[0].values == {"agreement": "nobody"}
    other = story("one_time", "authorize 500", "agreement-1")
    assert past.codes("reauthorize", 100, under=other) == "agreement_unknown"


def test_a_terminated_agreement_says_what_it_is_and_what_it_must_be(story):
    under = story("recurring", "authorize 500 consent_only, terminate", "agreement-1")
    denial = story("charge").ask("reauthorize", 100, under=under)
    assert denial.reasons[0].values == {
        "agreement": "agreement-1",
        "allowed": "consent.consented",
        "states": "consent.terminated",
    }


@pytest.mark.parametrize("command", ["capture", "refund", "cancel"])
def test_what_happens_outside_waits_for_what_is_open_inside(story, command):
    past = story("one_time", "authorize 100, capture? 50")
    event = resolve_external(
        past.machine, past.transaction, past.evidence(command, amount=50), past.now
    )
    assert event.reason == BUSY


def test_a_refund_outside_may_overlap_with_one_inside(story):
    past = story("one_time", "authorize 100, capture, refund? 50")
    evidence = past.evidence("refund", amount=30)
    event = resolve_external(past.machine, past.transaction, evidence, past.now)
    assert isinstance(event, External)
    past.append(event)
    assert past.amounts("refunding", "refunded") == (50, 30)
