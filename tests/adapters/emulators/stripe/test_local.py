"""Stripe at home: served, controlled by its orders' numbers, and shown in the demo."""

import json
from urllib.request import Request, urlopen

import pytest

from kessai import Command, Engine, HttpTransport, MemoryStore, Status
from kessai_adapters.stripe import Stripe
from kessai_adapters.stripe.local import LocalStripe

ASKS = {
    "payment_method": "pm_card_threeDSecure2Required",
    "return_url": "https://shop.example/done",
}


@pytest.fixture
def local():
    local = LocalStripe(approve="ask")
    yield local
    local.close()


def controls(server, path, **asked):
    body = json.dumps(asked).encode()
    request = Request(f"{server.url}/_emulator/{path}", body, method="POST")  # noqa: S310
    with urlopen(request) as reply:  # noqa: S310 - loopback
        return json.load(reply)


def test_an_order_is_told_by_the_number_in_its_metadata(local):
    with local.serve(port=0) as server:
        adapter = Stripe.from_environment(local.environment(server.url))
        engine = Engine(
            adapters=[adapter], store=MemoryStore(), transport=HttpTransport()
        )
        given = {"lifecycle": "card", "amount": 900, "currency": "JPY"}
        command = Command("authorize", "order-7", key="1", parameters=ASKS, **given)
        with engine:
            assert engine.execute(command).status is Status.PENDING
            assert local.waiting()["order-7"].startswith(f"{server.url}/redirect/pi_")
            controls(server, "consumer/approve", order="order-7")
            engine.reconcile("order-7")
            assert engine.transaction("order-7").status == "payment.authorized"
            controls(server, "portal/capture", order="order-7", amount=400)
            engine.reconcile("order-7")
            assert engine.transaction("order-7").amounts["captured"] == 400


def test_with_approve_now_nobody_is_asked():
    local = LocalStripe()
    engine = Engine(
        adapters=[local.adapter], store=MemoryStore(), transport=local.transport
    )
    given = {"lifecycle": "card", "amount": 900, "currency": "JPY"}
    with engine:
        answer = engine.execute(
            Command("authorize", "order-7", key="1", parameters=ASKS, **given)
        )
    assert answer.status is Status.SUCCEEDED
    assert not local.waiting()
    local.close()
