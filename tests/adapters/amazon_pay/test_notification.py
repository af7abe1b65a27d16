"""Envelopes: whose they are, what is fetched for them, and what they cause."""

import json

import attrs
import pytest

from kessai import NotificationNotConfirmed
from kessai.errors import NotificationRefused
from kessai.gateway import Failure, Mention, Notification, Reply
from kessai_adapters.emulators.amazon_pay import TOPIC
from kessai_adapters.emulators.in_process import exchange

OTHER_TOPIC = "arn:aws:sns:us-east-1:000000000000:another"


def envelope(shop):
    shop.authorized()
    notification = shop.emulator.take_notifications()[-1]
    return json.loads(notification.body)


def read(shop, members, adapter=None, certificate=None):
    """What the adapter reads, and the addresses that it asked for it."""
    body = members if isinstance(members, bytes) else json.dumps(members).encode()
    adapter = adapter or shop.adapter
    asks = adapter.received(Notification(headers={}, body=body, at=shop.now))
    asked, reply = [], None
    try:
        while True:
            request = asks.send(reply)
            asked.append(request.url)
            request = adapter.seal(request, shop.now, bytes(16))
            reply = certificate or exchange(shop.emulator, request)
    except StopIteration as stop:
        return stop.value, asked


def refused(shop, members, match, **more):
    with pytest.raises(NotificationRefused, match=match):
        read(shop, members, **more)


def test_a_charge_that_changed_is_mentioned(shop):
    items, asked = read(shop, envelope(shop))
    (charge,) = shop.emulator.books.charges
    assert items == (Mention("charge", charge),)
    assert len(asked) == 1


def test_of_a_refund_its_charge_is_asked_for(shop):
    shop.authorized(with_capture=True)
    shop.does("refund", "o-1", 100)
    members = json.loads(shop.emulator.take_notifications()[-1].body)
    items, asked = read(shop, members)
    assert [item.kind for item in items] == ["charge"]
    assert "/refunds/" in asked[1]


@pytest.mark.parametrize("name", ["Message", "MessageId", "Timestamp", "TopicArn"])
def test_whatever_is_signed_cannot_be_changed(shop, name):
    members = envelope(shop)
    refused(shop, {**members, name: members[name] + " "}, "signature")


@pytest.mark.parametrize(
    "url",
    [
        "https://sns.ap-northeast-1.amazonaws.com.shop.example/x.pem",
        "http://sns.ap-northeast-1.amazonaws.com/x.pem",
        "https://sns.ap-northeast-1.amazonaws.com/x.txt",
        "https://sns.ap-northeast-1.amazonaws.com:8443/x.pem",
        "https://you@sns.ap-northeast-1.amazonaws.com/x.pem",
        "https://shop.example/sns.ap-northeast-1.amazonaws.com/x.pem",
        "https://[",
        "",
    ],
)
def test_a_certificate_is_fetched_from_the_service_alone(shop, url):
    refused(shop, {**envelope(shop), "SigningCertURL": url}, "SigningCertURL")


def test_the_certificate_of_a_stand_in_does_not_count_where_amazon_itself_is_asked(
    shop,
):
    real = attrs.evolve(shop.adapter, host="https://pay-api.amazon.jp")
    refused(shop, envelope(shop), "SigningCertURL", adapter=real)


@pytest.mark.parametrize(
    ("certificate", "match"),
    [
        (Failure(sent=True, reason="ReadTimeout"), "not to be had"),
        (Reply(status=404), "not to be had"),
        (Reply(status=200, body=b"<html>"), "cannot be read"),
    ],
)
def test_without_its_certificate_an_envelope_is_refused(shop, certificate, match):
    refused(shop, envelope(shop), match, certificate=certificate)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"a": 1}', b"{" * 9, b"\xff"])
def test_what_is_no_envelope_is_refused(shop, body):
    refused(shop, body, "no envelope")


def test_another_merchants_envelope_is_refused(shop):
    shop.emulator.merchant_id = "ANOTHER"
    refused(shop, envelope(shop), "another merchant")


def test_a_subscription_is_confirmed_for_the_topic_that_was_said_and_no_other(shop):
    shop.emulator.ask_for_subscription()
    (asked,) = shop.emulator.take_notifications()
    refused(shop, asked.body, "where the topic is configured")
    assert not shop.emulator.is_subscribed
    other = attrs.evolve(shop.adapter, topic=OTHER_TOPIC)
    refused(shop, asked.body, "another topic", adapter=other)
    knows = attrs.evolve(shop.adapter, topic=TOPIC)
    assert read(shop, asked.body, adapter=knows)[0] == ()
    assert shop.emulator.is_subscribed


def test_news_of_a_charge_that_nobody_knows_is_to_be_sent_again(shop):
    notification = envelope(shop)
    shop.engine.store.__init__()
    with pytest.raises(NotificationNotConfirmed):
        shop.engine.receive_notification({}, json.dumps(notification).encode())
