"""What notifications do to a shop, through its endpoint; a signature is no proof."""

import attrs
import pytest

from kessai import MemoryStore
from kessai.gateway import Outcome
from kessai_adapters.emulators.veritrans4g import Merchant

OTHER_CCID = "B200000000000000000000cc"
OTHER_KEY = "0a1b2c3d" * 8


def test_a_notification_is_recorded_and_answered_200(shop):
    notification = shop.approved()
    assert shop.deliver(notification) == [200]
    assert shop.transaction().status == "payment.authorized"


# ── twice, late, early, out of order ────────────────────────────────────────────────


def test_a_notification_that_comes_five_times_is_recorded_once(shop):
    notification = shop.approved()
    assert shop.deliver(*[notification] * 5) == [200] * 5
    assert shop.kinds() == ["Begun", "Reported", "Reported"]
    assert shop.transaction().amounts["authorized"] == 1000


def test_a_replay_needs_no_gateway(shop):
    notification = shop.approved()
    shop.deliver(notification)
    shop.line.is_down = True
    before = len(shop.line.sent)
    assert shop.deliver(notification, notification) == [200, 200]
    assert len(shop.line.sent) == before


def test_a_replay_of_months_ago_changes_nothing(shop):
    notification = shop.authorized()
    shop.do("capture", amount=700)
    shop.do("refund", amount=700)
    before = shop.kinds()
    shop.clock.pass_by(days=100)
    assert shop.deliver(notification, *shop.emulator.take_notifications()) == [200] * 3
    assert shop.kinds() == before
    assert shop.transaction().status == "payment.refunded"


def test_a_notification_that_is_faster_than_the_reply_counts_once(shop):
    shop.authorized()
    shop.notifications_overtake = True
    assert shop.do("capture", amount=400).status == "succeeded"
    assert shop.do("refund", amount=300).status == "succeeded"
    amounts = shop.transaction().amounts
    assert (amounts["captured"], amounts["refunded"]) == (400, 300)
    assert shop.transaction().discrepancies == {}


def test_notifications_in_the_wrong_order_resolve_each_its_own(shop):
    shop.captured()
    for amount in (300, 400, 200):
        shop.loses("Refund")
        assert shop.do("refund", amount=amount).status == "unknown"
    notifications = shop.emulator.take_notifications()
    assert shop.deliver(*reversed(notifications)) == [200] * 3
    assert shop.transaction().amounts["refunded"] == 900
    assert shop.transaction().operations == {}
    assert shop.deliver(*notifications, *notifications) == [200] * 6
    assert shop.transaction().amounts["refunded"] == 900


# ── not ours, not true ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "by",
    [
        Merchant(ccid=OTHER_CCID, secret_key=OTHER_KEY),
        Merchant(ccid="A100000000000000000000cc", secret_key=OTHER_KEY),
    ],
    ids=["in its name", "in ours"],
)
def test_a_notification_of_another_merchant_is_refused(shop, item, by, log):
    shop.applied()
    before = shop.trail()
    notification = shop.signed(item("order", "Authorize", amount=1000), by=by)
    assert shop.deliver(notification) == [400]
    assert shop.trail() == before
    [(level, text)] = log()
    assert level == "WARNING"
    assert text.startswith("answered 400: notification refused: its Content-Hmac") or (
        "another merchant" in text
    )


@pytest.mark.parametrize("is_live", [True, False])
def test_a_test_is_no_payment_and_a_payment_no_test(make_shop, store, item, is_live):
    shop = make_shop(store, dummy=not is_live)
    shop.applied()
    before = shop.trail()
    items = item("order", "Authorize", amount=1000, dummy="1" if is_live else "0")
    assert shop.deliver(shop.signed(items)) == [400]
    assert shop.trail() == before
    assert shop.transaction().status == "payment.requested"


@pytest.mark.parametrize("part", ["body", "header", "key", "swapped"])
def test_a_forged_notification_changes_nothing_and_is_given_no_reason(shop, part, log):
    notification, other = shop.approved(), shop.approved("other")
    before = shop.trail()
    for forged in forgeries(notification, other, part):
        answer = shop.answer(forged)
        assert (answer.status, answer.body) == (400, b"refused\n")
    assert shop.trail() == before
    assert all(
        text.startswith("answered 400: notification refused: ") for _, text in log()
    )
    assert shop.deliver(notification) == [200]


def forgeries(notification, other, part):
    proof = notification.headers["Content-Hmac"]
    if part == "body":
        for place in range(0, len(notification.body), 7):
            flipped = notification.body[place] ^ 1
            body = (
                notification.body[:place]
                + bytes([flipped])
                + notification.body[place + 1 :]
            )
            yield with_(notification, body=body)
    elif part == "header":
        for place in range(0, len(proof), 3):
            bent = f"{proof[:place]}{chr(ord(proof[place]) ^ 1)}{proof[place + 1 :]}"
            yield with_(notification, bent)
    elif part == "key":
        yield with_(
            notification,
            Merchant(ccid=OTHER_CCID, secret_key=OTHER_KEY).content_hmac(
                notification.body
            ),
        )
    else:
        yield with_(notification, other.headers["Content-Hmac"])


def test_less_than_was_asked_for_is_not_authorized_by_a_notification_alone(shop, item):
    shop.applied()
    notification = shop.signed(item("order", "Authorize", amount=999))
    assert shop.deliver(notification) == [503]
    assert shop.transaction().status == "payment.requested"
    [number] = shop.transaction().discrepancies
    assert shop.deliver(notification, notification) == [200, 200]
    assert shop.transaction().discrepancies.keys() == {number}
    shop.emulator.consumer.approve("order")
    assert shop.deliver() == [200]
    assert shop.transaction().amounts["authorized"] == 1000


@pytest.mark.parametrize("heard_by", ["reply", "notification"])
def test_less_than_was_captured_is_kept_and_moves_nothing(shop, item, heard_by):
    shop.authorized()
    if heard_by == "notification":
        shop.loses("Capture")
    shop.do("capture", amount=600)
    shop.deliver()
    notification = shop.signed(item("order", "Capture", amount=500))
    assert shop.deliver(notification, notification) == [503, 200]
    assert shop.transaction().amounts["captured"] == 600
    [number] = shop.transaction().discrepancies
    kept = shop.events()[number - 1]
    assert (kept.reason, kept.evidence.amount) == ("not_listed", 500)
    assert shop.close_discrepancy(number).discrepancies == {}
    assert shop.deliver(notification) == [200]
    assert shop.transaction().discrepancies == {}


def test_a_notification_about_an_order_that_nobody_knows_is_kept_once(shop, item):
    notification = shop.signed(item("nobody", "Capture", amount=5))
    assert shop.deliver(notification, notification) == [200, 200]
    assert shop.kinds("nobody") == ["Discrepancy"]
    assert shop.line.sent == []
    shop.authorized("nobody")
    assert shop.transaction("nobody").status == "payment.authorized"


def test_a_command_of_tomorrow_is_kept_once_and_is_not_asked_for_again(shop, item):
    shop.captured()
    first = shop.signed(
        item("order", "Chargeback", amount=5, centerTransactionId="C-1")
    )
    second = shop.signed(
        item("order", "Chargeback", amount=5, centerTransactionId="C-2")
    )
    assert shop.deliver(first, first, second, first) == [200] * 4
    kept = [e for e in shop.events() if type(e).__name__ == "Discrepancy"]
    assert [e.evidence.exchange for e in kept] == ["C-1", "C-2"]
    assert {e.reason for e in kept} == {"not_in_lifecycle"}


# ── what an inquiry does not bear out ────────────────────────────────────────────────


def test_a_notification_is_kept_and_asked_for_again_while_the_gateways_list_runs_behind(
    shop,
):
    shop.authorized()
    shop.lags_from_now()
    shop.emulator.portal.cancel("order")
    [notification] = shop.emulator.take_notifications()
    assert shop.deliver(notification) == [503]
    assert shop.transaction().status == "payment.authorized"
    shop.line.lags = False
    assert shop.deliver(notification) == [200]
    assert shop.transaction().status == "payment.cancelled"
    assert shop.kinds()[-2:] == ["Discrepancy", "External"]


def test_what_is_never_listed_is_asked_for_once_more_and_stays_shown(shop):
    shop.authorized()
    shop.lags_from_now()
    shop.emulator.portal.cancel("order")
    [notification] = shop.emulator.take_notifications()
    assert shop.deliver(*[notification] * 4) == [503, 200, 200, 200]
    assert shop.kinds().count("Discrepancy") == 1
    assert len(shop.transaction().discrepancies) == 1


def test_a_notification_about_what_is_open_waits_for_the_list_and_leaves_no_discrepancy(
    shop,
):
    shop.captured()
    for _ in range(2):
        shop.loses("Refund")
        shop.do("refund", amount=300)
    notifications = shop.emulator.take_notifications()
    shop.line.items = b""
    shop.line.lags = True  # its answers cannot be read
    assert shop.deliver(*notifications) == [503, 503]
    shop.line.lags = False
    assert shop.deliver(*notifications) == [200, 200]
    assert shop.transaction().amounts["refunded"] == 600
    assert shop.transaction().discrepancies == {}


@pytest.mark.parametrize(("age", "answers"), [(59, [503] * 3), (61, [503, 200, 200])])
def test_nonsense_about_what_is_open_ends_after_an_hour(shop, item, age, answers):
    shop.captured()
    shop.lags_from_now()
    for _ in range(2):
        shop.loses("Refund")
        shop.do("refund", amount=300)
    notification = shop.signed(item("order", "Refund", amount=300))
    shop.clock.pass_by(minutes=age)
    assert shop.deliver(*[notification] * 3) == answers
    assert shop.transaction().amounts["refunding"] == 600
    assert shop.kinds().count("Discrepancy") == answers.count(200) // 2


def test_a_failure_that_takes_back_a_success_is_a_discrepancy(shop, item):
    shop.captured()
    shop.lags_from_now()
    shop.do("refund", amount=300)
    notification = shop.signed(item("order", "Refund", "failure", amount=300))
    assert shop.deliver(notification, notification) == [200, 200]
    [number] = shop.transaction().discrepancies
    kept = shop.events()[number - 1]
    assert kept.reason == "contradicts_earlier"
    assert kept.evidence.outcome is Outcome.DECLINED


def test_a_failure_that_takes_nothing_back_leaves_nothing(shop, item):
    shop.captured()
    shop.do("refund", amount=300)
    before = shop.kinds()
    notification = shop.signed(item("order", "Refund", "failure", amount=300))
    assert shop.deliver(notification, notification) == [200, 200]
    assert shop.kinds() == before


def test_a_notification_is_not_lost_while_the_gateway_answers_no_inquiry(shop):
    shop.authorized()
    shop.emulator.portal.cancel("order")
    [notification] = shop.emulator.take_notifications()
    shop.line.is_down = True
    answer = shop.answer(notification)
    assert answer.status == 503
    assert dict(answer.headers).keys() & {"Retry-After", "retry-after"}
    shop.line.is_down = False
    assert shop.deliver(notification) == [200]
    assert shop.transaction().status == "payment.cancelled"


# ── several items a body ────────────────────────────────────────────────────


def three(shop):
    """Three orders that the consumer approved, and the one notification of all."""
    for name in ("a", "b", "c"):
        shop.applied(name)
        shop.emulator.consumer.approve(name)
    [notification] = shop.emulator.take_notifications(batch=True)
    return notification


def statuses(shop):
    return [shop.transaction(name).status.removeprefix("payment.") for name in "abc"]


def test_all_items_of_a_notification_are_recorded(shop):
    notification = three(shop)
    assert shop.deliver(notification, notification) == [200, 200]
    assert statuses(shop) == ["authorized"] * 3
    assert all(shop.kinds(name).count("Reported") == 2 for name in "abc")


@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_that_waits_for_an_inquiry_holds_up_no_other(shop, place):
    notification = three(shop)
    name = "abc"[place]
    items = [{**fields} for fields in notification.notices]
    items[place]["amount"] = "1001"  # causes an inquiry
    shop.line.is_down = True
    assert shop.deliver(shop.signed(*items)) == [503]
    assert statuses(shop).count("authorized") == 2
    assert shop.transaction(name).status == "payment.requested"
    shop.line.is_down = False
    assert shop.deliver(notification, notification) == [200, 200]
    assert statuses(shop) == ["authorized"] * 3
    assert all(shop.kinds(name).count("Reported") == 2 for name in "abc")


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(
    "malformed",
    [{"txnType": "DROP TABLE"}, {"mstatus": ""}, {"orderId": "/"}, {"dummy": "0"}],
)
def test_one_that_cannot_be_read_holds_up_no_other(shop, malformed, place, log):
    items = [{**fields} for fields in three(shop).notices]
    items[place] |= malformed
    notification = shop.signed(*items)
    assert shop.deliver(notification, notification) == [400, 400]
    assert statuses(shop).count("authorized") == 2
    [(level, text), _] = log()
    assert level == "WARNING"
    assert f"{next(iter(malformed))}{place:04}" in text


@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_whose_trail_is_broken_holds_up_no_other(make_shop, place, log):
    store = MemoryStore()
    shop = make_shop(store)
    items = [{**fields} for fields in three(shop).notices]
    items[place]["amount"] = "1001"  # causes an inquiry, and reads the trail
    notification = shop.signed(*items)
    name = "abc"[place]
    store._weighed[name].pop()
    assert shop.deliver(notification, notification) == [500, 500]
    assert statuses(shop).count("authorized") == 2
    [(level, text), _] = log()
    assert level == "ERROR"
    assert text.startswith(f"answered 500: {name}: ")


# ── what is shown to nobody ─────────────────────────────────────────────────────────


def test_nothing_of_a_notification_reaches_a_log_or_an_answer(shop, item, log):
    secrets = {
        "buyerName": "planted-name",
        "buyerEmail": "planted@example.com",
        "shippingAddress1": "planted-address",
        "vResultCode": "plantedcode12345",
        "centerTransactionId": "planted-exchange",
    }
    shop.applied()
    bodies = [
        shop.signed(item("order", "Authorize", amount=999, **secrets)),
        shop.signed(item("order", "planted-type", amount=999, **secrets)),
        shop.signed(item("planted/id", "Authorize", amount=999, **secrets)),
        shop.signed(item("order", "Authorize", dummy="planted", **secrets)),
    ]
    bodies += [with_(body, "h=planted;s=planted") for body in bodies]
    seen = [str(shop.answer(notification)) for notification in bodies] + [
        text for _, text in log()
    ]
    assert len(seen) == 2 * len(bodies)
    proofs = [notification.headers["Content-Hmac"][-64:] for notification in bodies[:4]]
    for text in seen:
        assert "planted" not in text
        assert not any(proof in text for proof in proofs)


def with_(notification, proof=None, body=None):
    headers = {
        **notification.headers,
        "Content-Hmac": proof or notification.headers["Content-Hmac"],
    }
    return attrs.evolve(
        notification, headers=headers, body=notification.body if body is None else body
    )
