"""An older copy of the store is put back: the gateway knows what the store does not."""

from datetime import timedelta

import pytest

from kessai import Missing, Recovery, Status
from kessai.audit import verify
from kessai.gateway import INQUIRY, Failure

LOST = Failure(sent=True, reason="ReadTimeout")
FOUND = {"evidence": "the portal shows another refund", "actor": "sato"}


@pytest.fixture(params=["reconcile", "notification"])
def restored(request, shop, gateway):
    """A captured payment. That 400 were refunded since was lost, and is shown again."""
    shop.asks("authorize", 1000)
    shop.asks("capture")
    gateway.listed["order-1"].append(("refund", "succeeded", 400))
    if request.param == "reconcile":
        shop.call("reconcile", "order-1")
    else:
        shop.notification("refund", "succeeded", 400)
    assert shop.transaction().amounts["refunded"] == 400
    gateway.sent.clear()
    return shop


@pytest.mark.parametrize("key", ["return-1", "return-2"])
def test_the_lost_command_is_not_carried_out_again(restored, gateway, key):
    answer = restored.asks("refund", 400, key=key)
    assert (answer.status, answer.denial.codes) == (
        Status.DENIED,
        ("external_unclaimed",),
    )
    assert gateway.sent == []


def test_another_is_carried_out_under_the_same_key_once_an_operator_says_so(
    restored, gateway
):
    assert restored.asks("refund", 400, key="return-2").status is Status.DENIED
    (event,) = restored.transaction().unclaimed_events
    restored.call("close_discrepancy", "order-1", event, **FOUND)
    assert restored.asks("refund", 400, key="return-2").status is Status.SUCCEEDED
    assert restored.transaction().amounts["refunded"] == 800
    assert verify(restored.store).holds


def test_what_is_partly_ours_asks_for_the_rest_alone(shop, gateway):
    """Two refunds of 400 are listed; one is that of an operation without an answer."""
    shop.asks("authorize", 1000)
    shop.asks("capture")
    gateway.listed["order-1"].append(("refund", "succeeded", 400))
    gateway.answers = [gateway.loses]
    assert shop.asks("refund", 400).status is Status.UNKNOWN
    shop.recover(Recovery(missing=Missing.KEEP))
    shop.clock.passes(hours=1)
    shop.recover(Recovery(missing=Missing.KEEP))
    assert shop.transaction().amounts["refunded"] == 800
    assert [one.amount for one in shop.transaction().unclaimed] == [400]


def test_a_late_request_that_was_presumed_lost_is_not_repeated(shop, gateway):
    """The network delayed it beyond every limit; its caller asks under a new key."""
    shop.asks("authorize", 1000)
    shop.asks("capture")
    gateway.answers = [LOST]
    shop.asks("refund", 400, key="first")
    shop.clock.passes(hours=1)
    (lost,) = shop.recover(Recovery())
    assert lost.status is Status.DECLINED
    gateway.listed["order-1"].append(("refund", "succeeded", 400))
    shop.call("reconcile", "order-1")
    assert shop.asks("refund", 400, key="second").status is Status.DENIED


# ── opening commands ────────────────────────────────────────────────────────────────


def duplicate(gateway, *listed):
    """The gateway has the order already, and refuses to open it once more."""
    gateway.listed["order-1"] = list(listed)
    gateway.answers = [{"outcome": "declined", "code": "duplicate", "unlisted": True}]


def test_an_order_that_is_opened_once_more_is_found(shop, gateway):
    duplicate(gateway, ("authorize", "succeeded", 1000), ("capture", "succeeded", 700))
    assert shop.asks("authorize", 1000).status is Status.SUCCEEDED
    assert shop.status == "payment.captured"
    assert shop.transaction().amounts["captured"] == 700
    assert verify(shop.store).holds


def test_an_old_notification_of_it_hides_nothing_that_was_done_since(shop, gateway):
    """It comes again while the order is opened once more, before the gateway answers."""

    def meanwhile(asked):
        gateway.listed["order-1"] = [
            ("authorize", "succeeded", 1000),
            ("capture", "succeeded", 1000),
            ("refund", "succeeded", 400),
        ]
        raise KeyboardInterrupt

    gateway.answers = [meanwhile]
    with pytest.raises(KeyboardInterrupt):
        shop.asks("authorize", 1000)
    shop.notification("authorize", "succeeded", 1000)
    assert shop.transaction().amounts["refunded"] == 400
    assert shop.asks("refund", 400).denial.codes == ("external_unclaimed",)


def test_an_old_notification_counts_though_the_gateway_cannot_be_asked(shop, gateway):
    gateway.answers = [LOST, LOST]
    assert shop.asks("authorize", 1000).status is Status.UNKNOWN
    shop.notification("authorize", "succeeded", 1000)
    assert shop.status == "payment.authorized"


def test_one_that_waits_for_its_consumer_still_waits(shop, gateway):
    duplicate(gateway, ("authorize", "pending", 1000))
    assert shop.asks("authorize", 1000).status is Status.PENDING


def test_one_of_another_amount_is_a_discrepancy(shop, gateway):
    duplicate(gateway, ("authorize", "succeeded", 900))
    assert shop.asks("authorize", 1000).status is Status.UNKNOWN
    assert len(shop.transaction().discrepancies) == 1


def test_a_decline_that_nothing_contradicts_is_believed_with_its_code(shop, gateway):
    gateway.answers = [{"outcome": "declined", "code": "card_refused"}]
    answer = shop.asks("authorize", 1000)
    assert (answer.status, answer.evidence.code) == (Status.DECLINED, "card_refused")
    assert shop.status == "payment.failed"


def test_where_the_gateway_does_not_say_the_order_stays_open(shop, gateway):
    duplicate(gateway, ("authorize", "succeeded", 1000))
    gateway.answers += [LOST, LOST]
    assert shop.asks("authorize", 1000).status is Status.UNKNOWN
    shop.clock.passes(hours=1)
    (found,) = shop.recover(Recovery())
    assert found.status is Status.SUCCEEDED


def test_a_gateway_that_can_list_nothing_is_believed(market, wire, scripted):
    scripted.once("authorize", "declined", code="refused")
    assert market.asks("authorize", 100).status is Status.DECLINED


def test_totals_show_it_as_well(market, wire, scripted):
    scripted.once("authorize", "declined", code="duplicate")
    scripted.once("inquiry", "succeeded", totals={"authorized": 100})
    assert market.asks("authorize", 100).status is Status.SUCCEEDED


def test_what_was_done_since_shows_once_a_key_is_answered_again(market, wire, scripted):
    """The copy has an order without an answer, and without the gateway's id of it."""
    scripted.replays, paid = timedelta(days=1), {"authorized": 1000, "captured": 1000}

    def authorize(call):
        reply = yield scripted.ask(call)
        if isinstance(reply, Failure):
            return scripted.says(call, "unknown")
        return scripted.says(call, references={"payment": "pm_1"})

    def inquiry(call):
        if "payment" not in call.references:
            return scripted.says(call, "unknown")
        yield scripted.ask(call)
        return scripted.says(call, totals={**paid, "refunded": 400})

    scripted.exchanges |= {"authorize": authorize, INQUIRY: inquiry}
    wire.answers = [LOST]
    market.asks("authorize", 1000, with_capture=True)
    market.clock.passes(minutes=3)
    market.call("reconcile", "order-1")
    (found,) = market.recover()
    assert found.status is Status.SUCCEEDED
    assert market.transaction().amounts["refunded"] == 400
    denied = market.asks("refund", 400)
    assert denied.denial.codes == ("external_unclaimed",)
