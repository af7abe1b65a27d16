"""Orders that another shop began at Stripe, whose intents bear no id of ours."""

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from kessai import Command, ImportedCommand, Status
from kessai.gateway import ID_NOT_KNOWN, Request
from kessai.machine import Learned
from kessai_adapters.emulators.in_process import EmulatorTransport
from kessai_adapters.emulators.stripe import DEFAULT_KEY

BY = {"evidence": "export of the old shop", "actor": "sato"}


def posts(shop, path, fields):
    """What the other shop sends to Stripe; the object that it gets back."""
    request = Request(
        method="POST",
        url=f"https://api.stripe.com/v1/{path}",
        headers=(
            ("Authorization", f"Bearer {DEFAULT_KEY}"),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ),
        body=urlencode(fields).encode(),
    )
    reply = EmulatorTransport(shop.emulator).send(request)
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


@pytest.fixture
def intent(shop):
    """The id of an intent that the other shop captured, and refunded in part."""
    opening = {
        "amount": 1000,
        "currency": "jpy",
        "capture_method": "manual",
        "payment_method": "pm_card_visa",
        "payment_method_types[0]": "card",
        "confirm": "true",
        "metadata[order]": "A-17",
    }
    made = posts(shop, "payment_intents", opening)["id"]
    posts(shop, f"payment_intents/{made}/capture", {})
    posts(shop, "refunds", {"payment_intent": made, "amount": 200})
    shop.clock.pass_by(days=1)
    return made


def imports(shop, intent, order="order-7"):
    """What the other shop did is taken over, an hour apart."""
    opening = {"lifecycle": "card", "currency": "JPY"}
    for hours, (name, amount, given) in enumerate(
        [("authorize", 1000, opening), ("capture", 1000, {}), ("refund", 200, {})]
    ):
        command = Command(name, order, key=f"{order}-{name}", amount=amount, **given)
        done = ImportedCommand(
            command=command,
            at=shop.clock.now - timedelta(hours=20 - hours),
            references={"payment_intent": intent},
        )
        assert shop.engine.import_command(done, **BY).status is Status.SUCCEEDED


def test_what_was_imported_is_counted_once(shop, intent):
    imports(shop, intent)
    before = shop.stands()
    inquiry = shop.engine.reconcile("order-7")
    assert inquiry.readable
    assert [type(event) for event in inquiry.events] == [Learned]  # the charge's id
    assert shop.stands() == before
    assert not inquiry.transaction.discrepancies
    assert not inquiry.transaction.unclaimed


def test_an_intent_that_bears_the_name_of_another_order_is_not_this_one(shop, intent):
    imports(shop, intent)
    posts(shop, f"payment_intents/{intent}", {"metadata[kessai_transaction]": "B"})
    assert not shop.engine.reconcile("order-7").readable


def test_a_refund_whose_reply_was_lost_is_found_once(shop, intent):
    imports(shop, intent)
    shop.emulator.misbehave("lose_reply", command="refunds.create")
    assert shop.asks("refund", amount=300).status is Status.UNKNOWN
    shop.recovers()
    assert shop.stands() == (
        "payment.partially_refunded",
        {"authorized": 1000, "captured": 1000, "refunded": 500},
    )
    assert not shop.found().discrepancies
    assert not shop.found().operations
    refunds = shop.emulator.books.payments[intent].refunds
    assert [each["amount"] for each in refunds] == [200, 300]
    assert shop.engine.reconcile("order-7").events == ()


def test_what_is_done_in_the_dashboard_is_heard_of(shop, intent):
    shop.hears()  # of all that was done before, while nobody here knew of it
    imports(shop, intent)
    shop.emulator.portal.refund(intent, 300)
    shop.hears()
    shop.emulator.portal.dispute(intent)
    shop.hears()
    assert shop.stands() == (
        "payment.disputed",
        {"authorized": 1000, "captured": 1000, "refunded": 500, "disputed": 500},
    )
    assert not shop.found().discrepancies


def test_what_nobody_imported_is_left_to_others(shop, intent):
    shop.emulator.portal.dispute(intent)
    shop.hears()
    assert list(shop.engine.store.transactions()) == []


def test_under_a_wrong_id_stripe_knows_nothing_and_nothing_is_concluded(shop):
    shop.clock.pass_by(days=1)
    imports(shop, "pi_wrong")
    before = shop.stands()
    inquiry = shop.engine.reconcile("order-7")
    assert (inquiry.readable, inquiry.code) == (False, ID_NOT_KNOWN)
    assert shop.stands() == before
    assert not shop.found().discrepancies
