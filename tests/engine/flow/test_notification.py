"""A notification may come twice, late, out of order, before the reply, or about nobody."""

import pytest

from kessai import NotificationNotConfirmed, Status
from kessai.errors import NotificationRefused, UnknownTransaction, VersionConflict
from kessai.flow import receive
from kessai.gateway import Evidence, Outcome, Source
from kessai.machine import Discrepancy, External, Reported, read_events


def events(store, name="order-1"):
    return list(read_events(store.records(name)))


def kinds(store, name="order-1"):
    return [type(event).__name__ for event in events(store, name)]


def stated(
    command="capture", outcome=Outcome.SUCCEEDED, amount=60, of="order-1", **more
):
    """What a notification states, and with another source what an inquiry lists."""
    return Evidence(
        transaction=of,
        command=command,
        outcome=outcome,
        amount=amount,
        **{"source": Source.NOTIFICATION, **more},
    )


@pytest.fixture
def pending(shop, gateway):
    """An opening command that waits for the consumer."""
    gateway.answers = [{"outcome": "pending", "disclosed": {"page": "<html>"}}]
    answer = shop.asks("authorize", 100)
    assert (answer.status, answer.disclosed) == (Status.PENDING, {"page": "<html>"})
    gateway.sent.clear()
    return shop


@pytest.mark.parametrize(
    ("outcome", "state"), [("succeeded", "authorized"), ("declined", "failed")]
)
def test_a_notification_ends_the_only_operation_it_can_mean(
    pending, gateway, outcome, state
):
    pending.notification("authorize", outcome, 100)
    evidence = stated("authorize", Outcome(outcome), 100)
    reported = Reported(pending.clock.now, "order-1.1", Outcome(outcome), evidence)
    assert events(pending.store)[-1] == reported
    assert pending.status == f"payment.{state}"
    assert pending.asks("authorize", 100).status == outcome
    assert gateway.sent == []


def test_a_notification_may_leave_out_the_amount(pending):
    pending.notification("authorize", "succeeded")
    assert pending.status == "payment.authorized"


@pytest.mark.parametrize("outcome", ["pending", "unknown"])
def test_a_notification_of_nothing_new_is_not_written(pending, outcome):
    before = kinds(pending.store)
    pending.notification("authorize", outcome)
    assert kinds(pending.store) == before


def test_a_notification_that_comes_twice_is_applied_once(pending, gateway):
    for _ in range(3):
        pending.notification("authorize", "succeeded", 100)
        gateway.listed["order-1"] = [("authorize", "succeeded", 100)]
    assert kinds(pending.store) == ["Begun", "Reported", "Reported"]
    assert gateway.commands == ["inquiry", "inquiry"]
    assert pending.transaction().amounts["authorized"] == 100


def test_a_notification_before_the_reply_counts_once(shop, gateway):
    shop.asks("authorize", 100)

    def notification_first(asked):
        other = type(shop)("sync", shop.store, gateway, shop.clock)
        other.notification("capture", "succeeded", 60)
        return {"amount": 60}

    gateway.answers = [notification_first]
    answer = shop.asks("capture", 60)
    assert answer.status is Status.SUCCEEDED
    assert shop.transaction().amounts["captured"] == 60
    assert kinds(shop.store) == ["Begun", "Reported"] * 2


def test_a_repeated_notification_does_not_end_a_second_equal_refund(
    shop, gateway, lost
):
    """The notification carries no id: only the gateway's list can be counted."""
    shop.asks("authorize", 200)
    shop.asks("capture")
    shop.asks("refund", 60, key="first")
    gateway.answers = [lost]
    shop.asks("refund", 60, key="second")
    shop.notification("refund", "succeeded", 60)
    assert shop.transaction().amounts["refunded"] == 60
    assert shop.transaction().amounts["refunding"] == 60
    gateway.listed["order-1"].append(("refund", "succeeded", 60))
    shop.notification("refund", "succeeded", 60)
    assert shop.transaction().amounts["refunded"] == 120
    shop.notification("refund", "succeeded", 60)
    assert shop.transaction().amounts["refunded"] == 120


def test_a_late_notification_of_an_earlier_failure_does_not_end_the_new_attempt(
    shop, gateway, lost
):
    shop.asks("authorize", 100)
    gateway.answers = [{"outcome": "declined"}]
    shop.asks("capture", 60, key="first")
    gateway.answers = [lost]
    shop.asks("capture", 60, key="second")
    shop.notification("capture", "declined", 60)
    assert shop.transaction().amounts["capturing"] == 60
    (answer,) = shop.recover()
    assert answer.status is Status.UNKNOWN


def test_a_notification_of_another_amount_is_asked_about(pending, gateway):
    gateway.listed["order-1"] = [("authorize", "succeeded", 150)]
    pending.notification("authorize", "succeeded", 150)
    assert gateway.commands == ["inquiry"]
    assert pending.status == "payment.requested"
    assert len(pending.transaction().discrepancies) == 1
    pending.notification("authorize", "succeeded", 150)
    assert len(pending.transaction().discrepancies) == 1


def test_a_notification_about_an_opening_beside_an_update_is_asked_about(
    shop, gateway, lost
):
    """F2: the update on the merchant's page may have changed its amount, or not."""
    gateway.answers = [{"outcome": "pending"}, lost]
    page = {"merchant_page": True, "merchant_page_url": "https://shop.example/"}
    shop.asks("authorize", 100, **page)
    shop.asks("update_authorization", 150)
    gateway.listed["order-1"] = [
        ("authorize", "succeeded", 150),
        ("update_authorization", "succeeded", 150),
    ]
    shop.notification("authorize", "succeeded", 150)
    assert shop.status == "payment.authorized"
    assert shop.transaction().amounts["authorized"] == 150
    assert shop.transaction().operations == {}


def test_a_notification_about_the_first_amount_beside_an_update_is_asked_about(
    shop, gateway, lost
):
    gateway.answers = [{"outcome": "pending"}, lost]
    page = {"merchant_page": True, "merchant_page_url": "https://shop.example/"}
    shop.asks("authorize", 100, **page)
    shop.asks("update_authorization", 150)
    gateway.listed["order-1"] = [("update_authorization", "declined", 150)]
    with pytest.raises(NotificationNotConfirmed, match="does not list"):
        shop.notification("authorize", "declined", 100)
    assert gateway.commands[-1] == "inquiry"
    assert shop.status == "payment.requested"


def test_a_notification_about_what_nobody_asked_for_causes_an_inquiry_and_is_applied(
    shop, gateway
):
    shop.asks("authorize", 100)
    gateway.listed["order-1"].append(("cancel", "succeeded", None))
    shop.notification("cancel")
    assert shop.status == "payment.cancelled"
    listed = stated("cancel", amount=None, source=Source.INQUIRY)
    external = External(shop.clock.now, "cancel", None, listed)
    assert events(shop.store)[-1] == external
    shop.notification("cancel")
    assert kinds(shop.store).count("External") == 1


def test_an_external_command_is_distinguished_from_the_next_of_its_kind(
    shop, gateway, lost
):
    """After an external refund, a notification about refunds is not believed on its own."""
    shop.asks("authorize", 100)
    shop.asks("capture")
    gateway.listed["order-1"].append(("refund", "succeeded", 30))
    shop.notification("refund", "succeeded", 30)
    (event,) = shop.transaction().unclaimed_events
    seen = {"evidence": "the portal's", "actor": "sato"}
    shop.call("close_discrepancy", "order-1", event, **seen)
    gateway.answers = [lost]
    shop.asks("refund", 30)
    shop.notification("refund", "succeeded", 30)
    assert shop.transaction().amounts["refunded"] == 30
    assert shop.transaction().amounts["refunding"] == 30


def test_a_notification_that_cannot_be_confirmed_shall_come_again(shop, gateway, lost):
    shop.asks("authorize", 100)
    before = kinds(shop.store)
    gateway.answers = [lost]
    with pytest.raises(NotificationNotConfirmed) as refusal:
        shop.notification("cancel")
    assert str(refusal.value) == (
        "order-1: the gateway did not answer an inquiry; send it again"
    )
    assert kinds(shop.store) == before


def test_a_notification_about_nobody_is_kept_once_and_moves_nothing(shop, gateway):
    for _ in range(2):
        shop.notification("capture", "succeeded", 60, of="order-9")
    shop.notification("capture", "succeeded", 61, of="order-9")
    assert events(shop.store, "order-9") == [
        Discrepancy(
            shop.clock.now, "unknown_transaction", stated(amount=amount, of="order-9")
        )
        for amount in (60, 61)
    ]
    assert gateway.sent == []
    with pytest.raises(UnknownTransaction):
        shop.transaction("order-9")
    found = shop.store.load(None, "order-9", None).transaction
    assert list(found.discrepancies) == [1, 2]
    # And the order may still begin.
    assert shop.asks("authorize", 5, of="order-9").status is Status.SUCCEEDED


def test_a_notification_that_is_not_the_gateways_changes_nothing(shop):
    with pytest.raises(NotificationRefused):
        shop.call("receive_notification", {"from": "elsewhere"}, b"[]")
    assert list(shop.store.transactions()) == []


def test_several_notifications_of_one_notification_are_taken_in_turn(shop, gateway):
    gateway.answers = [{"outcome": "pending"}] * 2
    for name in ("order-1", "order-2"):
        shop.asks("authorize", 100, of=name)
    body = (
        b'[{"transaction":"order-1","command":"authorize"},'
        b'{"transaction":"order-2","command":"authorize","outcome":"declined"}]'
    )
    shop.call("receive_notification", {"from": "plain"}, body)
    assert shop.transaction("order-1").status == "payment.authorized"
    assert shop.transaction("order-2").status == "payment.failed"


@pytest.fixture
def unknown(hand, command, gateway, lost):
    hand.execute(command("authorize", 100))
    gateway.answers = [lost]
    hand.execute(command("capture", 60))
    return hand


def test_a_notification_that_is_overtaken_is_weighed_anew(unknown, shop, gateway):
    gateway.listed["order-1"].append(("capture", "succeeded", 60))
    unknown.before = {2: shop.recover}
    after = unknown.run(receive(unknown.context, "plain", stated()))
    assert unknown.log[:5] == ["Load", "Now", "Append", "Load", "Now"]
    assert after.status == "payment.captured"


def test_the_first_outcome_of_a_command_needs_no_trail(unknown):
    after = unknown.run(receive(unknown.context, "plain", stated()))
    assert unknown.log == ["Load", "Now", "Append"]
    assert after.status == "payment.captured"


def test_a_notification_that_is_repeated_needs_no_trail(unknown):
    for _ in range(2):
        after = unknown.run(receive(unknown.context, "plain", stated(exchange="x-1")))
    assert unknown.log == ["Load", "Now"]
    assert after.status == "payment.captured"


def test_a_notification_that_is_overtaken_at_the_write_is_weighed_anew(unknown, shop):
    unknown.before = {2: lambda: shop.asks("refund", 1)}
    after = unknown.run(receive(unknown.context, "plain", stated()))
    assert unknown.log == [*["Load", "Now", "Append"] * 2]
    assert after.status == "payment.captured"


def test_a_notification_on_what_is_never_left_alone_is_contended(unknown):
    def overtake():
        raise VersionConflict

    unknown.before = dict.fromkeys(range(2, 500, 3), overtake)
    with pytest.raises(VersionConflict, match="others changed it 100 times"):
        unknown.run(receive(unknown.context, "plain", stated()))


# ── what the gateway's list does not bear out ───────────────────────────────────────


def test_what_is_not_listed_is_kept_and_shall_come_once_more(shop):
    shop.asks("authorize", 100)
    with pytest.raises(NotificationNotConfirmed) as refusal:
        shop.notification("capture", "succeeded", 60)
    assert str(refusal.value) == (
        "order-1: the gateway's inquiry does not list what its notification states; send it again"
    )
    kept = Discrepancy(shop.clock.now, "not_listed", stated())
    assert events(shop.store)[-1] == kept
    before = kinds(shop.store)
    shop.notification("capture", "succeeded", 60)
    assert kinds(shop.store) == before
    assert shop.status == "payment.authorized"


def test_what_is_listed_later_is_applied_and_explains_its_discrepancy(shop, gateway):
    shop.asks("authorize", 100)
    with pytest.raises(NotificationNotConfirmed):
        shop.notification("capture", "succeeded", 60)
    gateway.listed["order-1"].append(("capture", "succeeded", 60))
    shop.notification("capture", "succeeded", 60)
    assert shop.status == "payment.captured"
    assert kinds(shop.store)[-2:] == ["Discrepancy", "External"]
    assert shop.transaction().discrepancies == {}


@pytest.mark.parametrize("command", ["get_address", None])
def test_a_notification_about_nothing_that_lasts_only_asks(shop, gateway, command):
    shop.asks("authorize", 100)
    before = kinds(shop.store)
    shop.notification(command)
    assert kinds(shop.store) == before
    assert gateway.commands[-1] == "inquiry"


def test_an_expiry_that_is_notified_is_believed_once_it_is_listed(shop, gateway):
    shop.asks("authorize", 100)
    with pytest.raises(NotificationNotConfirmed):
        shop.notification("expire")
    gateway.listed["order-1"].append(("expire", "succeeded", None))
    for _ in range(2):
        shop.notification("expire")
    assert shop.status == "payment.expired"
    assert kinds(shop.store)[-2:] == ["Discrepancy", "Lapsed"]
    assert shop.transaction().discrepancies == {}


def test_a_notification_of_the_amount_before_an_update_is_explained(
    shop, gateway, lost
):
    gateway.answers = [{"outcome": "pending"}, lost]
    page = {"merchant_page": True, "merchant_page_url": "https://shop.example/"}
    shop.asks("authorize", 100, **page)
    shop.asks("update_authorization", 150)
    gateway.listed["order-1"] = [
        ("authorize", "succeeded", 100),
        ("update_authorization", "succeeded", 150),
    ]
    for amount in (100, 150, 100):
        shop.notification("authorize", "succeeded", amount)
    assert shop.status == "payment.authorized"
    assert shop.transaction().discrepancies == {}


def test_a_discrepancy_that_is_overtaken_is_weighed_anew(hand, command, shop):
    hand.execute(command("authorize", 100))
    with pytest.raises(NotificationNotConfirmed):
        hand.run(receive(hand.context, "plain", stated(amount=50)))
    assert hand.log[-2:] == ["Now", "Append"]
    hand.before = {len(hand.log) - 1: lambda: shop.asks("capture", 60)}
    after = hand.run(receive(hand.context, "plain", stated(amount=60)))
    assert after.status == "payment.captured"
    assert kinds(shop.store) == [
        "Begun",
        "Reported",
        "Discrepancy",
        "Begun",
        "Reported",
    ]


def test_a_discrepancy_that_is_always_overtaken_is_contended(hand, command):
    def overtake():
        raise VersionConflict

    hand.execute(command("authorize", 100))
    hand.run(receive(hand.context, "plain", stated(outcome=Outcome.PENDING)))
    first = len(hand.log)
    hand.before = dict.fromkeys(range(first, first + 500, 4), overtake)
    with pytest.raises(VersionConflict, match="others changed it 100 times"):
        hand.run(receive(hand.context, "plain", stated()))


def test_one_notification_that_trips_over_a_mistake_holds_up_no_other(shop, gateway):
    gateway.answers = [{"outcome": "pending"}] * 3
    for name in ("order-1", "order-2", "order-3"):
        shop.asks("authorize", 100, of=name)
    gateway.answers = [{"outcome": "no such word"}]
    body = (
        b'[{"transaction":"order-1","command":"authorize","amount":100},'
        b'{"transaction":"order-2","command":"authorize","amount":1},'
        b'{"transaction":"order-3","command":"authorize","amount":100}]'
    )
    with pytest.raises(NotificationNotConfirmed, match="did not answer"):
        shop.call("receive_notification", {"from": "plain"}, body)
    assert shop.transaction("order-1").status == "payment.authorized"
    assert shop.transaction("order-2").status == "payment.requested"
    assert shop.transaction("order-3").status == "payment.authorized"
