"""The unknown is resolved by evidence alone: by an inquiry, never by time."""

from datetime import timedelta

import pytest

from kessai import Missing, Recovery, Status
from kessai.errors import (
    RecoveryFailed,
    UnknownTransaction,
    VersionConflict,
)
from kessai.flow import inquire, recover
from kessai.gateway import Failure
from kessai.limits import NOTHING_IN_FLIGHT
from kessai.machine import read_events

CALL = ["capture", "inquiry"]
LOST = Failure(sent=True, reason="ReadTimeout")


def events(store, name="order-1"):
    return list(read_events(store.records(name)))


@pytest.fixture
def authorized(shop, gateway):
    shop.asks("authorize", 100)
    gateway.sent.clear()
    return shop


def test_a_lost_answer_is_unknown_and_an_inquiry_finds_what_came_of_it(
    authorized, gateway, clock
):
    """Vendure #3680: the gateway call succeeds, then the local transaction is lost."""
    gateway.answers = [gateway.loses]
    answer = authorized.asks("capture", 60)
    assert answer.status is Status.UNKNOWN
    assert authorized.transaction().amounts["capturing"] == 60
    (recovered,) = authorized.recover()
    assert recovered.status is Status.SUCCEEDED
    assert authorized.status == "payment.captured"
    assert gateway.commands == CALL


@pytest.mark.parametrize("days", [0, 1, 400])
def test_time_alone_never_turns_the_unknown_into_a_failure(
    authorized, gateway, clock, lost, days
):
    """Hyperswitch: after the last retry, pending without an id became failed."""
    gateway.answers = [lost, *[lost] * 5]  # nor does the gateway answer an inquiry
    authorized.asks("capture", 60)
    clock.passes(days=days)
    for _ in range(5):
        (answer,) = authorized.recover()
        assert answer.status is Status.UNKNOWN
        clock.passes(days=days, hours=6)
    authorized.call("sweep", "order-1")
    assert authorized.status == "payment.authorized"
    assert authorized.transaction().amounts["capturing"] == 60


def test_an_inquiry_that_fails_resolves_nothing(
    authorized, gateway, clock, lost, never_sent
):
    gateway.answers = [lost, lost, never_sent, {"outcome": "declined"}]
    authorized.asks("capture", 60)
    before = len(authorized.store.records("order-1"))
    for _ in range(3):
        (answer,) = authorized.recover(Recovery(missing=Missing.DECLINE))
        assert answer.status is Status.UNKNOWN
        clock.passes(hours=6)
    assert len(authorized.store.records("order-1")) == before


def test_what_never_left_is_declined_and_may_be_sent_again(
    authorized, gateway, never_sent
):
    gateway.answers = [never_sent]
    answer = authorized.asks("capture", 60, key="first")
    assert answer.status is Status.DECLINED
    assert answer.may_send_again
    again = authorized.asks("capture", 60, key="second")
    assert again.status is Status.SUCCEEDED
    assert not again.may_send_again


def test_what_the_gateway_declined_may_not_be_taken_for_never_sent(authorized, gateway):
    gateway.answers = [{"outcome": "declined"}]
    answer = authorized.asks("capture", 60)
    assert (answer.status, answer.may_send_again) == (Status.DECLINED, False)
    assert authorized.asks("refund", 1).may_send_again


@pytest.mark.parametrize(
    ("missing", "past", "status", "sent"),
    [
        (Missing.KEEP, True, Status.UNKNOWN, ["capture"]),
        (Missing.DECLINE, False, Status.UNKNOWN, ["capture"]),
        (Missing.DECLINE, True, Status.DECLINED, ["capture"]),
        (Missing.RESEND, False, Status.UNKNOWN, ["capture"]),
        (Missing.RESEND, True, Status.SUCCEEDED, ["capture", "capture"]),
    ],
)
def test_what_an_inquiry_does_not_list_is_resolved_only_past_the_in_flight_limit(
    authorized, missing, past, status, sent
):
    gateway = authorized.gateway
    gateway.answers = [LOST]
    authorized.asks("capture", 60)
    authorized.clock.passes(minutes=10 if past else 9)
    (answer,) = authorized.recover(Recovery(missing=missing))
    assert answer.status is status
    assert [name for name in gateway.commands if name == "capture"] == sent
    declined = status is Status.DECLINED
    assert bool(answer.evidence.never_sent) is declined
    assert answer.may_send_again is declined


def test_what_is_missing_may_be_named_by_its_word():
    assert Recovery(missing="resend").missing is Missing.RESEND
    with pytest.raises(ValueError, match="forget"):
        Recovery(missing="forget")


def test_what_is_listed_as_pending_is_not_missing(authorized, gateway, clock, lost):
    gateway.answers = [lost]
    authorized.asks("capture", 60)
    clock.passes(days=1)
    gateway.answers = [{"listing": [("capture", "pending", 60)]}]
    (answer,) = authorized.recover(Recovery(missing=Missing.RESEND))
    assert answer.status is Status.PENDING
    clock.passes(days=1)
    gateway.answers = [{"listing": []}]
    (answer,) = authorized.recover(Recovery(missing=Missing.RESEND))
    assert answer.status is Status.PENDING
    assert gateway.commands.count("capture") == 1


def test_a_call_that_is_still_under_way_is_left_alone(
    hand, command, clock, gateway, store
):
    hand.execute(command("authorize", 100))
    hand.before = {3: stop}
    with pytest.raises(KeyboardInterrupt):
        hand.execute(command("capture", 60))
    hand.before = {}
    clock.passes(seconds=149)
    recovery = Recovery(
        missing=Missing.RESEND, in_flight_limit=timedelta(0), waits=NOTHING_IN_FLIGHT
    )
    (answer,) = hand.run(recover(hand.context, "order-1", recovery))
    assert answer.status is Status.UNKNOWN
    assert gateway.commands == ["authorize", "inquiry"]
    assert len(store.records("order-1")) == 3
    clock.passes(seconds=1)
    hand.run(recover(hand.context, "order-1", recovery))
    assert gateway.commands == ["authorize", "inquiry", "inquiry", "capture"]


def stop():
    raise KeyboardInterrupt


def test_what_was_resolved_meanwhile_is_not_sent_again(hand, command, shop):
    """Between the inquiry and the resend a notification reports the success."""
    hand.execute(command("authorize", 100))
    hand.gateway.answers = [LOST]
    hand.execute(command("capture", 60))
    hand.clock.passes(minutes=11)
    recovery = Recovery(missing=Missing.RESEND)
    flow = recover(hand.context, "order-1", recovery)
    sends = 0

    def notification_after_the_inquiry():
        nonlocal sends
        if type(hand.effects[-1]).__name__ == "Load" and "Send" in hand.log:
            sends += 1
            if sends == 2:  # the reading before the resend
                shop.notification("capture", "succeeded", 60)

    hand.before = dict.fromkeys(range(40), notification_after_the_inquiry)
    (answer,) = hand.run(flow)
    assert sends >= 2
    assert answer.status is Status.SUCCEEDED
    assert hand.gateway.commands.count("capture") == 1


@pytest.mark.parametrize(
    ("answer", "status", "state"),
    [
        ([("capture", "succeeded", 60)], Status.SUCCEEDED, "captured"),
        ([("capture", "declined", 60)], Status.DECLINED, "authorized"),
        ([("capture", "pending", 60)], Status.PENDING, "authorized"),
        ([], Status.UNKNOWN, "authorized"),
    ],
)
def test_already_captured_means_inquiry_and_never_compensate(
    authorized, gateway, answer, status, state
):
    """Medusa #12674: "already captured" taken for a failure refunded good orders."""
    gateway.answers = [
        {"outcome": "unknown", "needs_inquiry": True},
        {"listing": answer},
    ]
    answer = authorized.asks("capture", 60)
    assert answer.status is status
    assert authorized.status == f"payment.{state}"
    assert gateway.commands == CALL


def test_an_unsure_reply_whose_inquiry_is_lost_stays_unknown(authorized, gateway, lost):
    gateway.answers = [{"outcome": "unknown", "needs_inquiry": True}, lost]
    assert authorized.asks("capture", 60).status is Status.UNKNOWN


def test_an_unsure_reply_that_a_notification_overtook_needs_no_inquiry(
    authorized, gateway
):
    def notification_then_doubt(asked):
        other = type(authorized)(
            "sync", authorized.store, authorized.gateway, authorized.clock
        )
        other.notification("capture", "succeeded", 60)
        return {"outcome": "unknown", "needs_inquiry": True}

    gateway.answers = [notification_then_doubt]
    assert authorized.asks("capture", 60).status is Status.SUCCEEDED
    assert gateway.commands == ["capture"]


def test_a_captured_amount_is_kept_with_the_state(authorized, clock):
    """django-payments #309: the captured amount was set, then not saved."""
    authorized.asks("capture", 60)
    stored = authorized.store.load(None, "order-1", None).transaction
    assert stored.amounts["captured"] == 60
    assert stored.amounts["released"] == 40
    later = authorized.another()
    assert later.asks("refund").transaction.amounts["refunded"] == 60


def test_a_duplicate_completion_does_not_cancel_what_was_paid(authorized, gateway):
    """Amazon Pay for Magento #1280: a duplicate completion cancelled a paid order."""
    authorized.asks("capture", 60, key="complete")
    again = authorized.asks("capture", 60, key="complete")
    other = authorized.asks("capture", 60, key="complete once more")
    assert (again.status, again.is_recorded) == (Status.SUCCEEDED, True)
    assert other.status is Status.DENIED
    assert authorized.status == "payment.captured"
    assert gateway.commands == ["capture"]


def test_all_open_operations_are_recovered_oldest_first_up_to_a_limit(
    shop, gateway, clock
):
    for number in range(4):
        gateway.answers = [gateway.loses]
        shop.asks("authorize", 10, of=f"order-{number}")
        clock.passes(seconds=1)
    gateway.sent.clear()
    answers = shop.recover(limit=3)
    asked = [sent["transaction"] for sent in gateway.sent]
    assert asked == ["order-0", "order-1", "order-2"]
    assert [answer.status for answer in answers] == [Status.SUCCEEDED] * 3
    assert shop.store.open_transactions(9) == ["order-3"]
    (answer,) = shop.call("recover_transaction", "order-3")
    assert answer.status is Status.SUCCEEDED


def test_recovering_what_is_not_open_finds_nothing_to_answer(authorized, gateway):
    assert authorized.call("recover_transaction", "order-1") == []
    assert authorized.call("recover_transaction", "order-9") == []
    assert gateway.commands == ["inquiry"]


def test_an_abandoned_read_is_over_and_keeps_nothing_open(
    hand, command, clock, store, gateway
):
    """Reads never block: not the recovery's list, and not the lapse of a deadline."""
    hand.execute(command("authorize", 100))
    hand.before = {3: stop}
    with pytest.raises(KeyboardInterrupt):
        hand.execute(command("get_address"))
    hand.before = {}
    clock.passes(minutes=11)
    (answer,) = hand.run(recover(hand.context, "order-1", Recovery()))
    assert answer.status is Status.DECLINED
    assert store.open_transactions(9) == []
    assert gateway.commands == ["authorize", "inquiry"]


def test_what_happened_in_the_portal_is_found_and_marked_external(
    authorized, gateway, lost
):
    gateway.answers = [lost, {"listing": [("authorize", "succeeded", 100),
                                        ("cancel", "succeeded", None),
                                        ("capture", "declined", 60)]}]  # fmt: skip
    authorized.asks("capture", 60)
    (answer,) = authorized.recover()
    assert answer.status is Status.DECLINED
    assert authorized.status == "payment.cancelled"
    kinds = [type(event).__name__ for event in events(authorized.store)]
    assert kinds[-2:] == ["Reported", "External"]
    assert authorized.transaction().discrepancies == {}


def test_an_inquiry_that_is_overtaken_is_resolved_anew(
    hand, command, gateway, lost, shop
):
    hand.execute(command("authorize", 100))
    gateway.answers = [lost]
    hand.execute(command("capture", 60))
    gateway.listed["order-1"].append(("capture", "succeeded", 60))
    flow = inquire(hand.context, "order-1")
    hand.before = {5: lambda: shop.notification("capture", "succeeded", 60)}
    finding = hand.run(flow)
    assert hand.log == [
        *("Load", "Send", "Load", "History", "Now", "Append"),
        *("Load", "History", "Now"),
    ]
    assert finding.transaction.status == "payment.captured"
    assert len(hand.store.records("order-1")) == 5


def test_a_write_between_two_readings_is_noticed(hand, command, gateway, lost, shop):
    hand.execute(command("authorize", 100))
    gateway.answers = [lost]
    hand.execute(command("capture", 60))
    gateway.listed["order-1"].append(("capture", "succeeded", 60))
    hand.before = {3: lambda: shop.notification("capture", "succeeded", 60)}
    finding = hand.run(inquire(hand.context, "order-1"))
    assert hand.log.count("History") == 2
    assert finding.transaction.status == "payment.captured"


def test_an_inquiry_that_is_never_left_alone_is_contended(hand, command, gateway, lost):
    hand.execute(command("authorize", 100))
    gateway.answers = [lost]
    hand.execute(command("capture", 60))
    gateway.listed["order-1"].append(("capture", "succeeded", 60))

    def overtake():
        raise VersionConflict

    hand.before = dict.fromkeys(range(5, 800, 4), overtake)
    with pytest.raises(VersionConflict, match="others changed it 100 times"):
        hand.run(inquire(hand.context, "order-1"))


def test_marking_as_unanswered_what_others_work_on_is_left_to_them(
    hand, command, clock, shop
):
    hand.execute(command("authorize", 100))
    hand.before = {3: stop}
    with pytest.raises(KeyboardInterrupt):
        hand.execute(command("capture", 60))
    clock.passes(minutes=11)
    hand.before = {3: lambda: shop.notification("capture", "succeeded", 60)}
    (answer,) = hand.run(recover(hand.context, "order-1", Recovery()))
    assert hand.log[:5] == ["Load", "Load", "Now", "Append", "Load"]
    assert answer.status is Status.SUCCEEDED


def test_a_trail_that_was_bent_resolves_nothing(authorized, gateway, lost, store):
    gateway.answers = [lost]
    authorized.asks("capture", 60)
    trail = store._weighed["order-1"]
    trail[1], trail[0] = trail[:2]
    with pytest.raises(RecoveryFailed, match="order-1: TrailBroken: event 1"):
        authorized.recover()


def test_a_sweep_moves_what_is_overdue_and_only_that(authorized, clock):
    clock.passes(days=29, hours=23)
    assert authorized.call("sweep", "order-1").status == "payment.authorized"
    clock.passes(hours=1)
    assert authorized.call("sweep", "order-1").status == "payment.expired"
    assert authorized.call("sweep", "order-1").version == 3


def test_an_unknown_transaction_has_no_state_to_show(shop):
    with pytest.raises(UnknownTransaction, match="there is no transaction 'order-1'"):
        shop.transaction()
    shop.asks("capture", 1)
    with pytest.raises(UnknownTransaction):
        shop.call("can", "order-1")


def test_can_and_preview_say_beforehand_what_execute_will_do(authorized, command):
    allowed = {p.command for p in authorized.call("can", "order-1") if p.is_allowed}
    assert "capture" in allowed
    (refund,) = authorized.call("can", "order-1", "refund")
    assert not refund.is_allowed
    assert authorized.call("preview", command("refund", 1)).codes == (
        "state_not_allowed",
        "amount_above_maximum",
    )


def test_an_answer_that_is_cut_off_is_no_failure_of_the_payment(authorized, gateway):
    gateway.answers = [Failure(sent=True, reason="ReadTimeout")]
    answer = authorized.asks("cancel")
    assert answer.status is Status.UNKNOWN
    assert authorized.asks("capture").denial.codes == ("operation_open",)
