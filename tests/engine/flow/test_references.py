"""The gateway's ids: learned once, kept in the trail, given on, and found by."""

import json

import attrs
import pytest

from kessai import NotificationNotConfirmed, Recovery, Status
from kessai.errors import InvalidInput
from kessai.evidence.reasons import discrepancy_sentence
from kessai.flow.exchange import MOST_REQUESTS
from kessai.gateway import (
    INQUIRY,
    Evidence,
    ListedExchange,
    Mention,
    Outcome,
    Request,
    Source,
)
from kessai.machine import Discrepancy, External, Learned, Reported

GIVEN = {"order": "o_1", "buyer": "b_1"}


@pytest.fixture
def authorized(market, scripted):
    scripted.once("authorize", references=GIVEN)
    market.asks("authorize", 100)
    for command in ("capture", "refund"):
        scripted.once(command)
    return market


def given_on(wire):
    return json.loads(wire.sent[-1].body)


def test_ids_are_learned_from_a_reply_and_given_to_every_later_call(
    authorized, wire, scripted, events
):
    assert authorized.transaction().references == GIVEN
    authorized.asks("capture", 100)
    assert given_on(wire) == GIVEN
    scripted.once(INQUIRY)
    authorized.call("reconcile", "order-1")
    assert given_on(wire) == GIVEN
    begun, reported, captured, _ = events()
    assert (begun.operation.references, reported.evidence.references) == ({}, GIVEN)
    assert captured.operation.references == GIVEN


def test_the_ids_of_an_agreement_are_given_to_its_charges(market, wire, scripted):
    scripted.once("authorize", references={"mandate": "m_1"})
    market.asks("authorize", 500, of="club-1", lifecycle="recurring", consent_only=True)
    given = []

    def exchange(call):
        given.append((call.agreement_references, call.references))
        yield scripted.ask(call)
        return scripted.says(call, references={"mandate": "m_of_its_own"})

    scripted.exchanges["reauthorize"] = exchange
    scripted.exchanges["capture"] = exchange
    market.asks("reauthorize", 300, of="charge-1", agreement="club-1")
    market.asks("capture", 300, of="charge-1")
    assert given == [
        ({"mandate": "m_1"}, {}),
        ({}, {"mandate": "m_of_its_own"}),
    ]


def test_an_unknown_outcome_may_teach_an_id_all_the_same(market, scripted):
    scripted.once("authorize", "unknown", references=GIVEN)
    assert market.asks("authorize", 100).status is Status.UNKNOWN
    assert market.transaction().references == GIVEN


def test_a_resend_is_given_the_ids_that_the_operation_began_with(
    authorized, wire, clock, scripted, events
):
    scripted.once("capture", "unknown", references={"charge": "c_1"})
    authorized.asks("capture", 100)
    scripted.once("capture")
    scripted.once(INQUIRY)
    clock.passes(hours=1)
    authorized.recover(Recovery(missing="resend"))
    assert authorized.status == "payment.captured"
    assert given_on(wire) == GIVEN
    assert authorized.transaction().references == {**GIVEN, "charge": "c_1"}
    events()


def test_an_inquiry_teaches_what_it_states_besides_once(authorized, scripted, events):
    scripted.once(INQUIRY, references={**GIVEN, "charge": "c_1"}, listing=())
    for _ in range(3):
        authorized.call("reconcile", "order-1")
    *_, learned = events()
    assert isinstance(learned, Learned)
    assert len(events()) == 3
    assert authorized.transaction().references["charge"] == "c_1"


def test_a_notification_teaches_an_id(market, scripted, wire, events):
    scripted.once("authorize", "pending")
    market.asks("authorize", 100)
    scripted.heard = hears(notified(references=GIVEN))
    market.call("receive_notification", {}, b"")
    assert market.status == "payment.authorized"
    assert market.transaction().references == GIVEN
    events()


def test_the_inquiry_after_a_notification_is_made_by_the_id_that_it_names(
    market, scripted, wire
):
    """The reply that would have named it was lost."""
    scripted.once("authorize", "unknown")
    market.asks("authorize", 100)
    reason = attrs.evolve(
        notified(references=GIVEN), command=None, outcome=Outcome.UNKNOWN
    )
    scripted.heard = hears(attrs.evolve(reason, needs_inquiry=True))
    scripted.once(INQUIRY, listing=(done("authorize", 100),))
    market.call("receive_notification", {}, b"")
    assert given_on(wire) == GIVEN
    assert market.status == "payment.authorized"


# ── another id under the same name ──────────────────────────────────────────────────


def test_another_id_in_a_reply_stands_beside_its_outcome(authorized, scripted, events):
    scripted.once("capture", references={"order": "o_2", "charge": "c_1"})
    assert authorized.asks("capture", 100).status is Status.SUCCEEDED
    *_, reported, aside = events()
    assert isinstance(reported, Reported)
    assert (type(aside), aside.reason) == (Discrepancy, "reference_differs")
    assert aside.evidence.references == {"order": "o_2", "charge": "c_1"}
    assert authorized.transaction().references == {**GIVEN, "charge": "c_1"}
    assert authorized.transaction().discrepancies.keys() == {5}


def test_an_inquiry_about_another_id_resolves_nothing_and_is_kept_once(
    authorized, scripted, clock, events
):
    scripted.once("capture", "unknown")
    authorized.asks("capture", 100)
    scripted.once(INQUIRY, references={"order": "o_2"})
    for _ in range(3):
        clock.passes(hours=7)
        (answer,) = authorized.recover()
        assert answer.status is Status.UNKNOWN  # it lists nothing, of something else
    kept = [event for event in events() if isinstance(event, Discrepancy)]
    assert [event.reason for event in kept] == ["reference_differs"]


def test_a_notification_about_another_id_is_kept_once_and_resolves_nothing(
    market, scripted, events
):
    scripted.once("authorize", "pending", references=GIVEN)
    market.asks("authorize", 100)
    scripted.heard = hears(notified(references={"order": "o_2"}))
    for _ in range(2):
        market.call("receive_notification", {}, b"")
    assert market.status == "payment.requested"
    kept = [event for event in events() if isinstance(event, Discrepancy)]
    assert [event.reason for event in kept] == ["reference_differs"]


def test_a_reader_has_it_in_both_languages():
    assert discrepancy_sentence("reference_differs", "en").startswith("the gateway")
    assert "参照番号" in discrepancy_sentence("reference_differs", "ja")


# ── our own ids, where the gateway echoes them ──────────────────────────────────────


def test_an_inquiry_that_echoes_our_ids_ends_the_very_operation(
    authorized, scripted, clock, events
):
    """Two refunds are alike. The gateway never received the first, the older one."""
    authorized.asks("capture", 100)
    scripted.once("refund", "unknown")
    first, second = (
        authorized.asks("refund", 30, key=f"refund {n}").operation for n in (1, 2)
    )
    scripted.once(
        INQUIRY, listing=(done("capture", 100), done("refund", 30, operation=second))
    )
    clock.passes(minutes=3)
    answers = authorized.recover()
    assert [answer.status for answer in answers] == [Status.UNKNOWN, Status.SUCCEEDED]
    assert list(authorized.transaction().operations) == [first]
    clock.passes(hours=1)
    (answer,) = authorized.recover()
    assert (answer.operation, answer.status) == (first, Status.DECLINED)
    assert authorized.transaction().amounts["refunded"] == 30
    events()


# ── found by an id ──────────────────────────────────────────────────────────────────


def test_a_transaction_is_found_by_its_ids_in_its_account(authorized, store):
    assert store.find("shop-1/test", "order", "o_1") == ["order-1"]
    assert store.find("shop-1/live", "order", "o_1") == []
    assert store.find("shop-1/test", "buyer", "o_1") == []


def test_a_mention_causes_an_inquiry(authorized, wire, scripted, events):
    listed = done("refund", 30)
    scripted.once("capture")
    authorized.asks("capture", 100)
    scripted.once(INQUIRY, listing=(done("capture", 100), listed))
    scripted.heard = hears(Mention("order", "o_1"))
    authorized.call("receive_notification", {}, b"")
    assert wire.urls[-1] == "inquiry/"
    assert isinstance(events()[-1], External)
    assert authorized.status == "payment.partially_refunded"


def test_a_mention_of_nothing_known_is_to_come_again(authorized, wire, scripted):
    """The reply that brings the id may still be on its way."""
    scripted.heard = hears(Mention("order", "o_2"))
    with pytest.raises(
        NotificationNotConfirmed, match="no transaction has the order 'o_2'"
    ):
        authorized.call("receive_notification", {}, b"")
    scripted.once("authorize", references={"order": "o_2"})
    authorized.asks("authorize", 100, of="order-2")
    scripted.once(INQUIRY, listing=(done("authorize", 100),))
    authorized.call("receive_notification", {}, b"")


def test_a_mention_that_the_gateway_does_not_explain_is_to_come_again(
    authorized, scripted
):
    scripted.once(INQUIRY, "unknown")
    scripted.heard = hears(Mention("order", "o_1"))
    with pytest.raises(NotificationNotConfirmed, match="did not answer"):
        authorized.call("receive_notification", {}, b"")


def test_a_mention_is_no_reason_to_forget_the_rest(market, scripted):
    scripted.once("authorize", "pending")
    market.asks("authorize", 100)
    scripted.heard = hears(Mention("order", "o_9"), notified())
    with pytest.raises(NotificationNotConfirmed):
        market.call("receive_notification", {}, b"")
    assert market.status == "payment.authorized"


def test_a_notification_may_be_read_with_the_gateways_help(
    market, scripted, wire, clock
):
    """For a certificate, for instance, or the object that it only names."""
    scripted.once("authorize", "pending")
    market.asks("authorize", 100)
    heard = []

    def received(notification):
        reply = yield certificate()
        heard.append((notification.headers, notification.body, notification.at))
        assert reply.status == 200
        return (notified(),)

    scripted.heard = received
    market.call("receive_notification", {"from": "them"}, b"{}")
    assert wire.urls[-1] == "certificate"
    assert heard == [({"from": "them"}, b"{}", clock.now)]
    assert market.status == "payment.authorized"


@pytest.mark.parametrize("asks", ["for ever", "nothing that can be sent", "no tuple"])
def test_what_reads_a_notification_wrongly_is_to_be_mended(
    market, scripted, wire, asks
):
    def received(notification):
        while asks == "for ever":
            yield certificate()
        if asks == "nothing that can be sent":
            yield None
        return [notified()]

    scripted.heard = received
    with pytest.raises(InvalidInput, match="is not a tuple"):
        market.call("receive_notification", {}, b"")
    assert len(wire.sent) <= MOST_REQUESTS + 1


def certificate():
    return Request(method="GET", url="scripted:certificate")


def done(command, amount, **more):
    return ListedExchange(
        command=command, outcome=Outcome.SUCCEEDED, amount=amount, **more
    )


def notified(**more):
    return Evidence(
        source=Source.NOTIFICATION,
        transaction="order-1",
        command="authorize",
        outcome=Outcome.SUCCEEDED,
        **more,
    )


def hears(*said):
    def received(notification):
        yield from ()
        return said

    return received
