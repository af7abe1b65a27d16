"""What an inquiry concludes, and what it leaves open."""

import json

import attrs
import pytest

from kessai.gateway import Failure, Outcome, Reply
from kessai.testing.adapter_kit.forms import run
from kessai_adapters.payjp import PayJp
from kessai_adapters.payjp.samples import INQUIRE, SEARCH, samples

ADAPTER = PayJp.from_environment(samples().environment)


def recorded(name):
    path = samples().folder / f"{name}.reply.http"
    return json.loads(path.read_text("utf-8").partition("\n\n")[2])


def reply(stated):
    return Reply(status=200, body=json.dumps(stated).encode())


def page(*found, kind="list", has_more=False):
    return {"object": kind, "url": "/", "has_more": has_more, "data": list(found)}


def asked(call, *replies):
    return run(ADAPTER.exchange(call), [reply(each) for each in replies])


FLOW = recorded("inquiry-authorized")
SERVER = {**FLOW["metadata"], "kessai_confirmed_by": "server"}


def test_no_more_than_two_requests_are_made():
    for name in ("inquiry-refunded", "inquiry-canceled"):
        done = asked(INQUIRE, recorded(f"{name}-1"), recorded(f"{name}-2"))
        assert len(done.requests) == 2
        assert {request.method for request in done.requests} == {"GET"}


def test_a_flow_without_its_id_is_found_by_its_order():
    stranger = {**FLOW, "id": "pfw_2", "metadata": {}}
    evidence = asked(SEARCH, page(stranger, FLOW, has_more=True)).returned
    assert evidence.references == {"payment_flow": "pfw_1"}
    assert [each.operation for each in evidence.listing] == ["order-7.1"]


def test_what_is_not_among_the_newest_may_be_among_the_rest():
    evidence = asked(SEARCH, page({**FLOW, "metadata": {}}, has_more=True)).returned
    assert (evidence.outcome, evidence.found) == (Outcome.UNKNOWN, True)


def test_of_two_flows_the_confirmed_one_counts_and_of_two_of_those_none():
    waiting = {"status": "requires_payment_method", "metadata": SERVER}
    unconfirmed = {**FLOW, **waiting, "id": "pfw_2"}
    evidence = asked(SEARCH, page(unconfirmed, FLOW)).returned
    assert evidence.references == {"payment_flow": "pfw_1"}
    evidence = asked(SEARCH, page({**FLOW, "id": "pfw_2"}, FLOW)).returned
    assert evidence.outcome is Outcome.UNKNOWN


def test_a_flow_that_this_server_never_confirmed_lists_nothing():
    waiting = {**FLOW, "status": "requires_confirmation", "metadata": SERVER}
    evidence = asked(INQUIRE, waiting).returned
    assert (evidence.outcome, evidence.listing) == (Outcome.SUCCEEDED, ())
    assert evidence.found


@pytest.mark.parametrize(
    ("status", "states", "listed"),
    [
        ("canceled", ["canceled", "requires_capture"], ["authorize", "cancel"]),
        ("canceled", ["canceled", "requires_payment_method"], ["authorize"]),
        ("processing", ["processing", "requires_capture"], ["authorize", "capture"]),
        ("processing", ["processing"], ["authorize"]),
        ("canceled", ["requires_capture"], None),  # the events are older than the flow
    ],
)
def test_the_events_say_whether_a_flow_was_held_before(status, states, listed):
    about = [
        {"object": "event", "livemode": False, "data": {"status": s}} for s in states
    ]
    evidence = asked(INQUIRE, {**FLOW, "status": status}, page(*about)).returned
    if listed is None:
        assert evidence.outcome is Outcome.UNKNOWN
    else:
        assert [each.command for each in evidence.listing] == listed


@pytest.mark.parametrize(
    "change",
    [
        {"livemode": True},
        {"id": "pfw_2"},
        {"status": "a_status_of_tomorrow"},
        {"status": ["succeeded"]},
        {"amount": "500"},
        {"metadata": {"kessai_order": "order-8"}},
        {"object": "setup_flow"},
    ],
)
def test_what_is_not_the_flow_that_was_asked_about_shows_nothing(change):
    assert asked(INQUIRE, {**FLOW, **change}).returned.outcome is Outcome.UNKNOWN


def test_a_list_that_goes_on_is_not_believed_to_be_whole():
    captured, refunds = recorded("inquiry-refunded-1"), recorded("inquiry-refunded-2")
    more = {**refunds, "has_more": True}
    assert asked(INQUIRE, captured, more).returned.outcome is Outcome.UNKNOWN


def test_no_answer_at_all_says_whether_it_was_asked():
    for sent in (True, False):
        lost = Failure(sent=sent, reason="ReadTimeout")
        evidence = run(ADAPTER.exchange(INQUIRE), [lost]).returned
        assert evidence.outcome is Outcome.UNKNOWN
        assert evidence.never_sent is not sent


def test_an_id_of_a_strange_form_is_not_asked_about():
    strange = attrs.evolve(INQUIRE, references={"payment_flow": "../customers"})
    assert run(ADAPTER.exchange(strange), []).requests == ()
