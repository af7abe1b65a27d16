"""Stripe's own client talks to the emulator over HTTP, and reads what it says."""

import pytest
import stripe

from kessai_adapters.emulators import serve
from kessai_adapters.emulators.stripe import API_VERSION, DEFAULT_KEY, StripeEmulator

SECRETS = ("whsec_new", "whsec_old")


@pytest.fixture(scope="module")
def emulator():
    with StripeEmulator() as emulator:
        emulator.send_events_to("http://127.0.0.1:1/stripe", *SECRETS)
        yield emulator


@pytest.fixture(scope="module")
def client(emulator):
    with serve(emulator) as server:
        yield stripe.StripeClient(DEFAULT_KEY, base_addresses={"api": server.url})


def authorizes(client, card="pm_card_visa", **more):
    params = {
        "amount": 1200,
        "currency": "jpy",
        "capture_method": "manual",
        "confirm": True,
        "payment_method": card,
        "payment_method_types": ["card"],
        "metadata": {"order": "注文 7"},
        "expand": ["latest_charge"],
        **more,
    }
    options = {"idempotency_key": params.pop("key", None)}
    return client.v1.payment_intents.create(
        params, {name: value for name, value in options.items() if value}
    )


def test_it_speaks_the_version_that_the_emulator_speaks():
    assert stripe.api_version == API_VERSION


def test_a_payment_goes_its_whole_way(client):
    intent = authorizes(client)
    assert isinstance(intent, stripe.PaymentIntent)
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert charge.payment_method_details.card.capture_before > intent.created
    assert intent.metadata["order"] == "注文 7"
    captured = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 1000})
    assert (captured.status, captured.amount_received) == ("succeeded", 1000)
    refund = client.v1.refunds.create({"payment_intent": intent.id, "amount": 300})
    assert (refund.status, refund.charge) == ("succeeded", charge.id)
    listed = client.v1.refunds.list({"payment_intent": intent.id, "limit": 1})
    assert [each.amount for each in listed.auto_paging_iter()] == [300, 200]
    read = client.v1.charges.retrieve(charge.id)
    assert (read.amount_captured, read.amount_refunded, read.refunded) == (
        1000,
        500,
        False,
    )


def test_a_key_pays_once(client):
    first = authorizes(client, key="order-7")
    assert authorizes(client, key="order-7").id == first.id
    with pytest.raises(stripe.IdempotencyError):
        authorizes(client, key="order-7", amount=1300)


def test_what_it_raises_says_what_happened(client, emulator):
    with pytest.raises(stripe.CardError) as declined:
        authorizes(client, "pm_card_visa_chargeDeclined")
    assert declined.value.code == "card_declined"
    assert declined.value.error.decline_code == "generic_decline"
    assert declined.value.error.payment_intent.status == "requires_payment_method"
    with pytest.raises(stripe.InvalidRequestError) as wrong:
        authorizes(client, amount=1)
    assert (wrong.value.param, wrong.value.code) == ("amount", "amount_too_small")
    emulator.misbehave("http_429")
    with pytest.raises(stripe.RateLimitError):
        authorizes(client)
    emulator.misbehave("http_500")
    with pytest.raises(stripe.APIError):
        authorizes(client)
    with pytest.raises(stripe.InvalidRequestError, match="No such payment_intent"):
        client.v1.payment_intents.retrieve("pi_nonesuch")


def test_a_card_is_saved_and_charged_off_session(client):
    customer = client.v1.customers.create({"description": "7"})
    setup = client.v1.setup_intents.create(
        {"customer": customer.id, "payment_method": "pm_card_visa", "confirm": True}
    )
    assert (setup.status, setup.usage) == ("succeeded", "off_session")
    card = {"customer": customer.id, "off_session": True}
    paid = authorizes(client, setup.payment_method, **card)
    assert paid.status == "requires_capture"
    assert client.v1.payment_methods.detach(setup.payment_method).customer is None


def test_it_finds_the_page_of_the_bank(client, emulator):
    asked = authorizes(
        client, "pm_card_threeDSecure2Required", return_url="https://shop.example/x"
    )
    assert asked.next_action.redirect_to_url.url.startswith(emulator.base_url)
    emulator.consumer.approve(asked.id)
    assert client.v1.payment_intents.retrieve(asked.id).status == "requires_capture"


def test_it_verifies_the_webhooks_under_either_secret(client, emulator):
    emulator.take_notifications()
    intent = authorizes(client)
    sent = emulator.take_notifications()
    for secret in SECRETS:
        for each in sent:
            signed = each.headers["Stripe-Signature"]
            event = client.construct_event(each.body, signed, secret)
            assert event.data.object.object in {"charge", "payment_intent"}
    found = client.v1.events.list({"type": "payment_intent.created", "limit": 1})
    assert found.data[0].data.object.id == intent.id
    with pytest.raises(stripe.SignatureVerificationError):
        client.construct_event(sent[0].body + b" ", signed, SECRETS[0])
