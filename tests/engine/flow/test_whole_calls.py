"""Whole calls, whole findings: what an adapter is asked, and what an inquiry finds."""

import attrs
import pytest

from kessai import Answer, Missing, Recovery, Status, Transaction
from kessai.errors import UnknownTransaction, VersionConflict
from kessai.evidence.inquiry import Inquiry
from kessai.flow import Append, Send, compare, execute, inquire, recover, recover_due
from kessai.flow.operator import close_by_hand
from kessai.flow.steps import ATTEMPTS, load, load_with_attempts
from kessai.gateway import INQUIRY, Call, Evidence, Failure, Outcome, Source
from kessai.machine import Discrepancy, Reported, read_record

LOST = Failure(sent=True, reason="ReadTimeout")
NEVER = Failure(sent=False, reason="ConnectError")
DECLINE = Recovery(missing=Missing.DECLINE)


@pytest.fixture
def authorized(hand, command):
    hand.execute(command("authorize", 100))
    return hand


@pytest.fixture
def calls(hand):
    """What the adapter is asked for, in order."""
    adapter = hand.context.adapter_for(None).adapter
    asked, request = [], adapter.request

    def remember(call):
        asked.append(call)
        return request(call)

    adapter.request = remember
    return asked


def last_event(store, name="order-1"):
    records = store.records(name)
    head = records[-2].hash if len(records) > 1 else ""
    return read_record(records[-1], head).event


def standing(hand, name="order-1"):
    return hand.store.load(None, name, None).transaction


# ── calls ───────────────────────────────────────────────────────────────────────────


def test_an_adapter_is_given_all_of_an_operation(authorized, calls, command, clock):
    authorized.execute(command("capture", 60))
    begun = authorized.store.records("order-1")[2]
    assert calls == [
        Call(
            command="capture",
            transaction="order-1",
            lifecycle="one_time",
            operation="order-1.3",
            amount=60,
            currency="JPY",
            parameters={},
            tracks=("payment",),
            begun_at=clock.now,
            seed=begun.hash,
        )
    ]


def test_an_adapter_is_given_a_charge_and_its_agreement(hand, calls, command):
    consent = {"lifecycle": "recurring", "of": "consent-1"}
    hand.execute(command("authorize", 500, consent_only=True, **consent))
    calls.clear()
    charge = command("reauthorize", 300, of="charge-1", agreement="consent-1")
    hand.execute(charge)
    (call,) = calls
    assert (call.lifecycle, call.agreement) == ("charge", "consent-1")


def test_an_inquiry_is_about_a_transaction_and_nothing_else(authorized, calls):
    authorized.run(inquire(authorized.context, "order-1"))
    (call,) = calls
    asked = Call(
        command=INQUIRY,
        transaction="order-1",
        lifecycle="one_time",
        tracks=("payment",),
        begun_at=standing(authorized).opened_at,
    )
    assert call == asked


def test_a_read_is_asked_again_as_the_same_operation(authorized, calls, command):
    authorized.execute(command("get_address", key="k", details=True))
    again = authorized.execute(command("get_address", key="k", details=True))
    first, second = calls
    for name in ("command", "transaction", "lifecycle", "operation", "parameters"):
        assert getattr(first, name) == getattr(second, name), name
    assert again.transaction == standing(authorized)


# ── answers ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("reply", [{}, {"outcome": "declined"}, LOST])
def test_an_answer_is_recorded_whole(authorized, command, gateway, reply):
    gateway.answers = [reply]
    first = authorized.execute(command("capture", 60))
    again = authorized.execute(command("capture", 60))
    assert again == attrs.evolve(
        first, is_recorded=True, transaction=standing(authorized)
    )
    assert (first.command, first.operation) == ("capture", "order-1.3")


def test_a_denial_about_nothing_is_read_again_in_the_same_words(hand, command):
    first = hand.execute(command("capture", 10, key="k"))
    again = hand.execute(command("capture", 10, key="k"))
    assert again == attrs.evolve(first, is_recorded=True)
    assert again.denial.sentences("ja") == first.denial.sentences("ja")


def test_an_answer_has_the_transaction_as_it_stands(hand, command, gateway):
    answer = hand.execute(command("authorize", 100))
    assert answer == Answer(
        status=Status.SUCCEEDED,
        command="authorize",
        key="order-1 authorize 100",
        transaction=standing(hand),
        operation="order-1.1",
        evidence=answer.evidence,
    )


# ── replies that were too late, or refused ──────────────────────────────────────────


def test_a_contradiction_is_kept_with_all_it_is_about(shop, gateway, clock):
    shop.asks("authorize", 100)

    def notification_first(asked):
        other = type(shop)("sync", shop.store, shop.gateway, shop.clock)
        other.notification("capture", "declined", 60)
        return {"outcome": "succeeded", "amount": 60}

    gateway.answers = [notification_first]
    shop.asks("capture", 60)
    stated = Evidence(
        source=Source.REPLY,
        transaction="order-1",
        command="capture",
        outcome=Outcome.SUCCEEDED,
        amount=60,
    )
    kept = Discrepancy(clock.now, "contradicts_earlier", stated, "order-1.3")
    assert last_event(shop.store) == kept


@pytest.mark.parametrize(
    ("name", "amount", "reply", "looks"),
    [
        ("capture", 60, {"outcome": "declined"}, True),
        ("capture", 60, NEVER, False),
        ("capture", 60, {}, False),
        ("get_address", None, {"outcome": "declined"}, False),
    ],
)
def test_a_refusal_of_what_is_allowed_is_a_reason_to_inquire(  # noqa: PLR0917
    authorized, command, gateway, name, amount, reply, looks
):
    gateway.answers = [reply]
    authorized.execute(command(name, amount))
    assert (gateway.commands[-1] == INQUIRY) is looks


def test_a_refused_opening_is_asked_about_before_it_is_believed(hand, command, gateway):
    gateway.answers = [{"outcome": "declined"}]
    answer = hand.execute(command("authorize", 100))
    assert gateway.commands == ["authorize", INQUIRY]
    assert answer.status is Status.DECLINED
    assert hand.log.count("Append") == 2


def test_an_opening_that_never_left_is_not_asked_about(hand, command, gateway):
    gateway.answers = [NEVER]
    assert hand.execute(command("authorize", 100)).status is Status.DECLINED
    assert gateway.commands == ["authorize"]


# ── findings ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ask", [inquire, compare])
def test_of_what_never_came_to_be_nothing_is_found(hand, ask):
    finding = hand.run(ask(hand.context, "nobody"))
    assert finding == Inquiry(transaction=Transaction("nobody"), readable=False)
    assert finding.readable is False


@pytest.mark.parametrize("ask", [inquire, compare])
def test_without_an_answer_nothing_is_found(authorized, gateway, ask):
    gateway.answers = [LOST]
    finding = authorized.run(ask(authorized.context, "order-1"))
    assert finding == Inquiry(transaction=standing(authorized), readable=False)
    assert finding.readable is False


@pytest.mark.parametrize("ask", [inquire, compare])
def test_a_finding_has_the_events_and_the_transaction_after_them(
    authorized, gateway, clock, ask
):
    before = standing(authorized)
    gateway.listed["order-1"].append(("capture", "succeeded", 60))
    finding = authorized.run(ask(authorized.context, "order-1"))
    (event,) = finding.events
    assert (event.command, event.at) == ("capture", clock.now)
    assert finding.transaction == standing(authorized)
    assert (finding.transaction == before) is (ask is compare)
    assert (finding.unconfirmed, finding.unlisted) == ((), ())


def test_a_caller_who_is_gone_left_no_answer(authorized, command, gateway, clock):
    gateway.answers = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        authorized.execute(command("capture", 60))
    clock.passes(minutes=5)
    authorized.run(recover_due(authorized.context, DECLINE))
    gone = Evidence(
        source=Source.INQUIRY,
        transaction="order-1",
        command="capture",
        outcome=Outcome.UNKNOWN,
        code="no_answer",
    )
    presumed = Reported(clock.now, "order-1.3", Outcome.UNKNOWN, gone)
    assert last_event(authorized.store) == presumed
    (change,) = (e.change for e in authorized.effects if isinstance(e, Append))
    assert (change.lease.transaction, change.lease.number) == ("order-1", 1)


def test_what_waited_for_the_end_of_another_is_applied_with_it(
    authorized, command, gateway, clock
):
    """A cancel in the portal, while a capture of ours never arrived."""
    gateway.answers = [LOST]
    authorized.execute(command("capture", 60))
    gateway.listed["order-1"].append(("cancel", "succeeded", None))
    clock.passes(minutes=11)
    authorized.run(recover(authorized.context, "order-1", DECLINE))
    assert standing(authorized).status == "payment.cancelled"
    event = last_event(authorized.store)
    assert (event.command, event.at) == ("cancel", clock.now)


def test_one_that_only_looks_like_another_is_unlisted_all_the_same(
    authorized, command, gateway, clock
):
    """Of two refunds of 30 one is in flight; the one of 20 was never listed."""
    authorized.execute(command("capture", 100))
    gateway.answers = [LOST, gateway.loses]
    authorized.execute(command("refund", 20, key="20"))
    authorized.execute(command("refund", 30, key="30"))
    clock.passes(minutes=11)
    gateway.answers = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        authorized.execute(command("refund", 30, key="30 again"))
    authorized.run(recover(authorized.context, "order-1", DECLINE))
    again = authorized.execute(command("refund", 20, key="20"))
    assert (again.status, again.evidence.code) == (Status.DECLINED, "not_found")
    assert standing(authorized).amounts["refunding"] == 60


def test_a_discrepancy_from_before_it_began_does_not_hide_that_it_is_unlisted(
    authorized, command, gateway, clock
):
    """A refund in the portal, of an amount that is not stated; ours never arrives."""
    authorized.execute(command("capture", 100))
    gateway.listed["order-1"].append(("refund", "succeeded", None, "X"))
    seen = authorized.run(inquire(authorized.context, "order-1"))
    closed = {"note": "seen in the portal", "actor": "sato"}
    (number,) = seen.transaction.discrepancies
    authorized.run(close_by_hand(authorized.context, "order-1", number, **closed))
    gateway.answers = [LOST]
    authorized.execute(command("refund", 20, key="20"))
    clock.passes(minutes=11)
    authorized.run(recover(authorized.context, "order-1", DECLINE))
    again = authorized.execute(command("refund", 20, key="20"))
    assert (again.status, again.evidence.code) == (Status.DECLINED, "not_found")


# ── errors ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["", "\x00", "a" * 256])
def test_what_is_no_id_is_no_transactions(hand, name):
    with pytest.raises(UnknownTransaction) as raised:
        hand.run(load(name))
    assert str(raised.value) == "there is no transaction with such an id"
    assert hand.log == []


class Grows(dict):
    """After every effect of one kind, somebody else writes."""

    def __init__(self, hand, command, kind):
        super().__init__()
        self._hand, self._command, self._kind = hand, command, kind

    def get(self, _number, nothing):
        is_it = type(self._hand.effects[-1]).__name__ == self._kind
        return self._write if is_it else nothing

    def _write(self):
        other = type(self._hand)(self._hand.store, self._hand.gateway, self._hand.clock)
        other.execute(self._command("get_address", key=f"d{len(self._hand.effects)}"))


@pytest.mark.parametrize(
    ("flow", "kind"),
    [
        (lambda hand: inquire(hand.context, "order-1"), "Now"),
        (lambda hand: load_with_attempts("order-1"), "Load"),
        (lambda hand: execute(hand.context, hand.next), "Now"),
    ],
    ids=["inquiry", "reading", "command"],
)
def test_who_never_gets_a_turn_is_given_the_transaction(
    authorized, command, gateway, flow, kind
):
    gateway.listed["order-1"].append(("capture", "succeeded", 60))
    authorized.next = command("capture", 60)
    authorized.after = Grows(authorized, command, kind)
    with pytest.raises(VersionConflict) as raised:
        authorized.run(flow(authorized))
    changed = f"order-1: others changed it {ATTEMPTS} times while deciding"
    assert str(raised.value) == changed
    assert sum(isinstance(effect, Send) for effect in authorized.effects) <= 1
