"""What was only prepared may be sent later: if it is not too late, and still allowed."""

from datetime import timedelta
from pathlib import Path

import attrs
import pytest

from kessai.limits import CARRY_OUT_WITHIN
from kessai.machine import Discrepancy, External, compile_lifecycle
from kessai.machine.prepared import NOT_IN_TIME, is_too_late, why_not_to_send
from kessai.spec import load_file

WALLET = Path(__file__).parent.parent / "prove" / "wallet.toml"
MOMENT = timedelta(microseconds=1)


def why(past, operation, agreement=None):
    found = past.transaction.operations[operation.id]
    return why_not_to_send(past.machine, past.transaction, found, past.now, agreement)


@pytest.mark.parametrize(
    ("history", "name", "amount"),
    [
        ("", "authorize", 100),
        ("authorize 100", "capture", 60),
        ("authorize 100", "cancel", None),
        # All that is left to refund is reserved: by this one itself.
        ("authorize 100, capture, refund? 40", "refund", 60),
    ],
)
def test_what_the_lifecycle_still_allows_may_be_sent(story, history, name, amount):
    past = story("one_time", history)
    assert why(past, past.begin(name, amount, prepared=True)) is None


def test_its_parameters_count_as_they_were_asked_for(story):
    past = story("recurring")
    operation = past.begin("authorize", 100, prepared=True)
    assert why(past, operation) is None
    bare = attrs.evolve(operation, parameters={})
    found = why_not_to_send(past.machine, past.transaction, bare, past.now, None)
    assert found == "parameter_missing"


def test_what_an_inquiry_has_shown_meanwhile_is_not_done_once_more(story):
    past = story("one_time", "authorize 100, capture")
    refund = past.begin("refund", 30, prepared=True)
    evidence = past.evidence("refund", amount=30)
    past.append(External(past.now, "refund", 30, evidence))
    assert why(past, refund) == "external_unclaimed"
    past.close(past.transaction.version)
    assert why(past, refund) is None


def test_an_order_that_the_gateway_shows_as_opened_is_not_opened_once_more(story):
    past = story("one_time")
    operation = past.begin("authorize", 100, prepared=True)
    evidence = past.evidence("authorize", amount=100)
    past.append(Discrepancy(past.now, "state_not_allowed", evidence))
    assert why(past, operation) == "external_unclaimed"


def test_the_first_reason_is_told_of_what_the_lifecycle_does_not_allow_any_more(story):
    past = story("one_time", "authorize 100")
    capture = past.begin("capture", 60, prepared=True)
    cancelled = past.evidence("cancel")
    past.append(External(past.now, "cancel", None, cancelled))
    assert why(past, capture) == past.codes("capture", 60).split()[0]


def test_it_is_decided_in_the_currency_that_it_was_asked_for(story):
    past = story("one_time")
    past.machine = compile_lifecycle(load_file(WALLET))
    operation = past.begin("authorize", 60, prepared=True, currency="USD")
    assert why(past, operation) is None


def test_a_charge_is_sent_while_its_agreement_allows_it(story):
    agreement = story("recurring", "authorize 500 consent_only", "agreement-1")
    charge = story("charge", "", "charge-1")
    operation = charge.begin("reauthorize", 100, prepared=True, under=agreement)
    assert why(charge, operation, agreement.transaction) is None
    assert why(charge, operation) == "agreement_unknown"
    agreement.tell("terminate")
    assert why(charge, operation, agreement.transaction) == "agreement_state"


def test_only_what_opens_a_charge_depends_on_the_agreement(story):
    charge = story("charge", "reauthorize 100", "charge-1")
    assert why(charge, charge.begin("capture", 60, prepared=True)) is None


@pytest.mark.parametrize("finish_within", [None, timedelta(days=2)])
def test_it_may_be_sent_for_an_hour(story, finish_within):
    past = story("one_time")
    operation = past.begin("authorize", 100, prepared=True)
    operation = attrs.evolve(operation, finish_within=finish_within)
    last = past.now + CARRY_OUT_WITHIN
    assert not is_too_late(operation, last - MOMENT)
    assert is_too_late(operation, last)
    past.now = last
    assert why(past, operation) == NOT_IN_TIME


def test_where_a_consumer_has_less_time_it_may_be_sent_only_for_that(story):
    past = story("one_time")
    operation = past.begin("authorize", 100, prepared=True)
    operation = attrs.evolve(operation, finish_within=timedelta(minutes=5))
    assert not is_too_late(operation, past.now + timedelta(minutes=5) - MOMENT)
    assert is_too_late(operation, past.now + timedelta(minutes=5))
