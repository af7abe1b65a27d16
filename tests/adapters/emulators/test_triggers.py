"""Each trigger brings its notification about, and the gateway's adapter reads it."""

import attrs
import pytest

from kessai.gateway import Notification
from kessai_adapters.amazon_pay.local import LocalAmazonPay
from kessai_adapters.emulators.amazon_pay import TOPIC
from kessai_adapters.emulators.amazon_pay import triggers as amazon_pay
from kessai_adapters.emulators.clock import utc_now
from kessai_adapters.emulators.payjp import triggers as payjp
from kessai_adapters.emulators.stripe import triggers as stripe
from kessai_adapters.payjp.local import LocalPayJp
from kessai_adapters.stripe.local import LocalStripe

HOOK = "http://127.0.0.1:8000/hook"
TRIGGERS = [
    *((LocalAmazonPay, name) for name in amazon_pay.STORIES),
    *((LocalPayJp, name) for name in payjp.STORIES),
    *((LocalStripe, name) for name in stripe.STORIES),
]


@pytest.mark.parametrize(("kind", "name"), TRIGGERS)
def test_a_trigger_sends_its_notification_to_the_url_and_its_adapter_reads_it(
    kind, name
):
    local = kind()
    order = local.controls().triggers[name](HOOK)
    sent = local.emulator.take_notifications()
    assert {each.url for each in sent} == {HOOK}
    about = [each for each in sent if each.name == name]
    assert about
    assert all(received(local, each) for each in about)
    orders = local.controls().orders()
    assert local.controls().named(order) in orders
    local.close()


def test_the_envelope_that_asks_for_a_subscription_is_answered_by_a_visit():
    local = LocalAmazonPay()
    adapter = attrs.evolve(local.adapter, topic=TOPIC)
    local.controls().triggers["SubscriptionConfirmation"](HOOK)
    (sent,) = local.emulator.take_notifications()
    assert sent.url == HOOK
    assert received(local, sent, adapter) == ()
    assert local.emulator.is_subscribed


def received(local, sent, adapter=None):
    """What the adapter makes of a notification, with what it fetches for that."""
    notified = Notification(headers=sent.headers, body=sent.body, at=utc_now())
    adapter = adapter or local.adapter
    reading = adapter.received(notified)
    try:
        request = next(reading)
        while True:
            sealed = adapter.seal(request, utc_now(), bytes(16))
            request = reading.send(local.transport.send(sealed))
    except StopIteration as done:
        return done.value


def test_nothing_else_is_sent_there_afterwards():
    local = LocalStripe()
    local.emulator.send_events_to("http://127.0.0.1:9/shop")
    local.controls().triggers["payment_intent.succeeded"](HOOK)
    local.emulator.take_notifications()
    local.emulator.portal.refund(list(local.emulator.books.payments)[-1])
    assert {each.url for each in local.emulator.take_notifications()} == {
        "http://127.0.0.1:9/shop"
    }
    local.close()
