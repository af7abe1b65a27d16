"""Webhooks of the emulator: signed under each secret, as they were when it happened."""

import json

from kessai_adapters.emulators.stripe import signature


def test_the_signature_is_that_of_the_documents():
    body = (
        b'{"id":"evt_1","object":"event","type":"charge.refunded",'
        b'"data":{"object":{"id":"ch_1"}}}'
    )
    assert signature("whsec_test_secret", 1_700_000_000, body) == (
        "7447e2c7610c030465faf3d3b4cad841b4fa4d8467f1d47d671ce6b20071242c"
    )


def test_an_event_shows_its_object_as_it_was_then(merchant, emulator, clock):
    paid = merchant.pays()
    merchant.post(f"payment_intents/{paid['id']}/capture")
    sent = {each.name: each for each in emulator.take_notifications()}
    first = json.loads(sent["payment_intent.created"].body)
    assert first["data"]["object"]["status"] == "requires_confirmation"
    last = sent["payment_intent.succeeded"]
    assert json.loads(last.body)["data"]["object"]["status"] == "succeeded"
    at = int(clock.now.timestamp())
    proofs = [signature(secret, at, last.body) for secret in ("whsec_new", "whsec_old")]
    header = f"t={at},v1={proofs[0]},v1={proofs[1]}"
    assert last.headers["Stripe-Signature"] == header
    assert not emulator.take_notifications()


def test_an_endpoint_gets_the_types_that_it_wants(merchant, emulator):
    wanted = frozenset({"payment_intent.payment_failed"})
    emulator.send_events_to("https://shop.example/failed", types=wanted)
    merchant.pays()
    merchant.pays(500, "pm_card_visa_chargeDeclined")
    (sent,) = emulator.take_notifications()
    assert (sent.name, sent.url) == (*wanted, "https://shop.example/failed")


def test_events_are_kept_for_thirty_days(merchant, clock):
    merchant.pays()
    clock.pass_by(days=30)
    assert merchant.get("events")["data"] == []
