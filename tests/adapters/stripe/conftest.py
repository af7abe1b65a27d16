"""A shop with an engine, and Stripe's stand-in on the other side of the wire."""

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from kessai import Command, Engine, MemoryStore
from kessai.audit import verify
from kessai_adapters.emulators.in_process import EmulatorTransport
from kessai_adapters.emulators.stripe import StripeEmulator
from kessai_adapters.stripe.local import LocalStripe

CARD = {"payment_method": "pm_card_visa"}


class Clock:
    """A clock that a test moves by hand."""

    def __init__(self):
        self.now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self):
        return self.now

    def pass_by(self, **span):
        self.now += timedelta(**span)


class Wire(EmulatorTransport):
    """Writes down what is sent."""

    def __init__(self, emulator):
        super().__init__(emulator)
        self.sent = []

    def send(self, request):
        path = request.url.partition("/v1/")[2].partition("?")[0]
        self.sent.append(f"{request.method} {path}")
        return super().send(request)


@attrs.define
class Shop:
    """An order system that asks for commands by their names."""

    engine: Engine
    emulator: StripeEmulator
    clock: Clock
    wire: Wire
    asked: int = 0

    def asks(self, command, order="order-7", /, key=None, **given):
        self.asked += 1
        key = key or f"key-{self.asked}"
        if command in {"authorize", "set_up"}:
            given.setdefault("lifecycle", "card")
        return self.engine.execute(Command(command, order, key=key, **given))

    def authorizes(self, amount=1000, **parameters):
        given = {**CARD, **parameters}
        kept = {name: value for name, value in given.items() if value is not None}
        return self.asks("authorize", amount=amount, currency="JPY", parameters=kept)

    def found(self, order="order-7"):
        return self.engine.transaction(order)

    def stands(self, order="order-7"):
        found = self.found(order)
        return found.status, {name: n for name, n in found.amounts.items() if n}

    @property
    def intent(self):
        return self.found().references["payment_intent"]

    def hears(self):
        """Every webhook that waits is delivered."""
        for each in self.emulator.take_notifications():
            self.engine.receive_notification(each.headers, each.body)

    def recovers(self, **span):
        self.clock.pass_by(**(span or {"minutes": 11}))
        return self.engine.recover()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def shop(clock):
    local = LocalStripe(clock=clock, approve="ask")
    local.emulator.send_events_to("https://shop.example/stripe")
    wire = Wire(local.emulator)
    engine = Engine(
        adapters=[local.adapter], store=MemoryStore(), transport=wire, clock=clock
    )
    with engine:
        yield Shop(engine, local.emulator, clock, wire)
        report = verify(engine.store)
        assert report.holds, report.faults
    local.close()
