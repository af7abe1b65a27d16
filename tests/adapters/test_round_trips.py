"""An inquiry costs as many round trips as it has requests, and an engine adds none."""

import pytest

from kessai import Command, Engine, MemoryStore
from kessai_adapters.amazon_pay.exchanges import BROUGHT
from kessai_adapters.amazon_pay.local import LocalAmazonPay
from kessai_adapters.emulators.in_process import EmulatorTransport
from kessai_adapters.payjp.local import LocalPayJp
from kessai_adapters.stripe.local import LocalStripe
from kessai_adapters.veritrans4g.local import LocalGateway


class Counted(EmulatorTransport):
    """Writes down which requests go out, by their methods."""

    def __init__(self, emulator):
        super().__init__(emulator)
        self.sent = []

    def send(self, request):
        self.sent.append(request.method)
        return super().send(request)


@pytest.mark.parametrize(
    ("local", "lifecycle", "parameters", "asked"),
    [
        # the charge, then its one refund
        (LocalAmazonPay, "amazon_pay", {}, ["GET", "GET"]),
        # the flow, then its refunds
        (LocalPayJp, "card", {}, ["GET", "GET"]),
        # the intent, then its refunds
        (LocalStripe, "card", {"payment_method": "pm_card_visa"}, ["GET", "GET"]),
        # all exchanges in one list
        (LocalGateway, "one_time", {}, ["POST"]),
    ],
)
def test_an_inquiry_about_a_refunded_payment_is_two_round_trips_at_most(
    local, lifecycle, parameters, asked
):
    gateway = local()
    wire = Counted(gateway.emulator)
    with Engine(
        adapters=[gateway.adapter], store=MemoryStore(), transport=wire
    ) as engine:
        pays(engine, gateway, lifecycle, parameters)
        wire.sent.clear()
        found = engine.reconcile("order-1").transaction
        assert wire.sent == asked
        assert (found.amounts["captured"], found.amounts["refunded"]) == (1000, 300)
    gateway.close()


def pays(engine, gateway, lifecycle, parameters):
    """A payment is authorized, captured, and refunded in part."""
    opens = {"lifecycle": lifecycle, "currency": "JPY", "parameters": parameters}
    engine.execute(Command("authorize", "order-1", key="1", amount=1000, **opens))
    if gateway.name == "amazon_pay":
        session = gateway.emulator.consumer.approve("order-1")
        engine.resume("order-1", {BROUGHT: session})
    engine.reconcile("order-1")
    engine.execute(Command("capture", "order-1", key="2", amount=1000))
    engine.execute(Command("refund", "order-1", key="3", amount=300))
    if gateway.name == "amazon_pay":
        gateway.emulator.complete("order-1")
