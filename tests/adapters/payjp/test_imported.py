"""Orders that another shop began at PAY.JP, whose flows bear no id of ours."""

import json
from datetime import timedelta

import pytest

from kessai import Command, ImportedCommand
from kessai.gateway import ID_NOT_KNOWN, Request
from kessai_adapters.emulators.in_process import EmulatorTransport
from kessai_adapters.emulators.payjp import DEFAULT_KEY

BY = {"evidence": "export of the old shop", "actor": "sato"}


def posts(shop, path, **members):
    """What the other shop sends to PAY.JP; the object that it gets back."""
    shop.keys += 1
    request = Request(
        method="POST",
        url=f"https://api.pay.jp/v2/{path}",
        headers=(
            ("Authorization", f"Bearer {DEFAULT_KEY}"),
            ("Content-Type", "application/json"),
            ("Idempotency-Key", f"other-{shop.keys}"),
        ),
        body=json.dumps(members).encode(),
    )
    reply = EmulatorTransport(shop.gateway).send(request)
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


@pytest.fixture
def flow(shop):
    """The id of a flow that the other shop captured, and refunded in part."""
    card = shop.customer()
    made = posts(
        shop,
        "payment_flows",
        amount=1000,
        currency="jpy",
        capture_method="manual",
        customer_id=card["customer"],
        metadata={"order": "A-17"},
    )["id"]
    path = f"payment_flows/{made}"
    posts(shop, f"{path}/confirm", payment_method_id=card["payment_method"])
    posts(shop, f"{path}/capture", amount_to_capture=1000)
    posts(shop, "payment_refunds", payment_flow_id=made, amount=200)
    shop.pass_(days=1)
    return made


def imports(shop, flow):
    """What the other shop did is taken over, an hour apart."""
    opening = {"lifecycle": "card", "currency": "JPY"}
    for hours, (name, amount, given) in enumerate(
        [("authorize", 1000, opening), ("capture", 1000, {}), ("refund", 200, {})]
    ):
        command = Command(name, "order-7", key=name, amount=amount, **given)
        done = ImportedCommand(
            command=command,
            at=shop.now - timedelta(hours=20 - hours),
            references={"payment_flow": flow},
        )
        assert shop.engine.import_command(done, **BY).status == "succeeded"


def test_what_was_imported_is_counted_once(shop, flow):
    imports(shop, flow)
    before = shop.transaction()
    inquiry = shop.engine.reconcile("order-7")
    assert inquiry.readable
    assert inquiry.events == ()
    assert inquiry.transaction == before
    assert not before.discrepancies


def test_an_authorization_of_elsewhere_is_captured_here(shop):
    card = shop.customer()
    made = posts(
        shop,
        "payment_flows",
        amount=1000,
        currency="jpy",
        capture_method="manual",
        customer_id=card["customer"],
    )["id"]
    path = f"payment_flows/{made}/confirm"
    posts(shop, path, payment_method_id=card["payment_method"])
    opening = Command(
        "authorize", "order-7", key="a", amount=1000, currency="JPY", lifecycle="card"
    )
    done = ImportedCommand(
        command=opening, at=shop.now, references={"payment_flow": made}
    )
    shop.engine.import_command(done, **BY)
    assert shop.ask("capture", amount=700).status == "succeeded"
    assert shop.flow()["amount_received"] == 700


def test_a_refund_whose_reply_was_lost_is_found_once(shop, flow):
    imports(shop, flow)
    shop.gateway.misbehave("lose_reply", command="refund")
    assert shop.ask("refund", amount=300).status == "unknown"
    shop.pass_(minutes=11)
    shop.engine.recover()
    assert shop.transaction().amounts["refunded"] == 500
    assert not shop.transaction().operations
    assert not shop.transaction().discrepancies
    assert shop.gateway.flows.left(shop.flow()) == 500
    assert shop.engine.reconcile("order-7").events == ()


def test_what_is_done_in_the_console_is_heard_of(shop, flow):
    shop.gateway.take_notifications()  # while nobody here knew of it
    imports(shop, flow)
    shop.gateway.portal.refund(flow, 300)
    shop.deliver()
    assert shop.transaction().amounts["refunded"] == 500
    assert not shop.transaction().discrepancies


def test_a_capture_in_the_console_is_heard_of(shop):
    card = shop.customer()
    opening = {"amount": 900, "currency": "jpy", "capture_method": "manual"}
    made = posts(shop, "payment_flows", **opening, customer_id=card["customer"])["id"]
    method = card["payment_method"]
    posts(shop, f"payment_flows/{made}/confirm", payment_method_id=method)
    given = {"lifecycle": "card", "currency": "JPY", "amount": 900}
    command = Command("authorize", "order-7", key="a", **given)
    shop.engine.import_command(
        ImportedCommand(
            command=command, at=shop.now, references={"payment_flow": made}
        ),
        **BY,
    )
    shop.deliver()
    shop.gateway.portal.capture(made)
    shop.deliver()
    assert shop.state() == "captured"


def test_under_a_wrong_id_payjp_knows_nothing_and_nothing_is_concluded(shop):
    imports(shop, "pfw_wrong")
    before = shop.transaction()
    inquiry = shop.engine.reconcile("order-7")
    assert (inquiry.readable, inquiry.code) == (False, ID_NOT_KNOWN)
    assert shop.transaction() == before
