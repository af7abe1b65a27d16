"""PAY.JP's emulator, asked by bytes: a clock that can be put forward, and short words."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from kessai_adapters.emulators.payjp import DEFAULT_KEY, Emulator

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WEBHOOK = "http://127.0.0.1/webhook"


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now

    def advance(self, **by):
        self.now += timedelta(**by)


class Shop:
    """A merchant's server: what it asks, and what it is answered."""

    def __init__(self, emulator, clock):
        self.emulator, self.clock = emulator, clock
        self.status = None

    def ask(self, method, path, members=None, key=None, **headers):
        given = {"Authorization": f"Bearer {DEFAULT_KEY}", **headers}
        if key is not None:
            given["Idempotency-Key"] = key
        body = b"" if members is None else json.dumps(members).encode()
        reply = self.emulator.handle(method, f"/v2/{path}", given, body)
        self.status = reply.status
        return json.loads(reply.body)

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, key=None, **members):
        return self.ask("POST", path, members, key)

    def customer(self, number="4242424242424242", kind="card"):
        customer = self.post("customers")["id"]
        card = {"card": {"number": number}} if kind == "card" else {}
        method = self.post("payment_methods", type=kind, customer_id=customer, **card)
        return {"customer_id": customer, "payment_method_id": method["id"]}

    def flow(self, amount=500, number="4242424242424242", kind="card", **more):
        """A payment that the server confirms, held until it is captured."""
        paid = self.customer(number, kind)
        asked = {"amount": amount, "currency": "jpy", "capture_method": "manual"}
        return self.post("payment_flows", confirm=True, **asked, **paid, **more)

    def captured(self, amount=500):
        flow = self.flow(amount)
        return self.post(f"payment_flows/{flow['id']}/capture")

    def states(self, flow):
        events = self.get(f"events?resource_id={flow['id']}&limit=100")["data"]
        return [event["data"]["status"] for event in reversed(events)]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def emulator(clock):
    with Emulator(clock=clock, approve="ask", webhook_url=WEBHOOK) as made:
        yield made


@pytest.fixture
def shop(emulator, clock):
    return Shop(emulator, clock)
