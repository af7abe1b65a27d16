"""A merchant that speaks to the emulator as Stripe's documents say, without any adapter."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import attrs
import pytest

from kessai_adapters.emulators.stripe import DEFAULT_KEY, StripeEmulator

SECRETS = ("whsec_new", "whsec_old")


class Clock:
    """A clock that a test moves by hand."""

    def __init__(self):
        self.now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self):
        return self.now

    def pass_by(self, **span):
        self.now += timedelta(**span)


def flat(fields, under=""):
    for name, value in fields.items():
        full = f"{under}[{name}]" if under else name
        if isinstance(value, dict):
            yield from flat(value, full)
        elif value is not None:
            written = value if isinstance(value, str) else json.dumps(value)
            yield full, written


@attrs.define
class Merchant:
    """Asks, and keeps the last status."""

    emulator: StripeEmulator
    clock: Clock
    key: str = DEFAULT_KEY
    status: int = 0
    headers: dict = attrs.field(factory=dict)

    def _ask(self, method, path, headers, body=b""):
        given = {"Authorization": f"Bearer {self.key}", **headers}
        reply = self.emulator.handle(method, f"/v1/{path}", given, body)
        self.status, self.headers = reply.status, reply.headers
        return json.loads(reply.body)

    def post(self, path, idempotency=None, /, **fields):
        headers = {} if idempotency is None else {"Idempotency-Key": idempotency}
        return self._ask("POST", path, headers, urlencode(list(flat(fields))).encode())

    def get(self, path, /, **fields):
        query = urlencode(list(flat(fields)))
        return self._ask("GET", f"{path}{'?' if query else ''}{query}", {})

    def pays(self, amount=1000, card="pm_card_visa", idempotency=None, /, **fields):
        asked = {
            "amount": amount,
            "currency": "jpy",
            "payment_method": card,
            "payment_method_types": {"0": "card"},
            "capture_method": "manual",
            "confirm": True,
            **fields,
        }
        return self.post("payment_intents", idempotency, **asked)

    def events(self):
        return [each["type"] for each in self.get("events", limit=100)["data"]][::-1]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def emulator(clock):
    with StripeEmulator(clock=clock) as emulator:
        emulator.send_events_to("https://shop.example/stripe", *SECRETS)
        yield emulator


@pytest.fixture
def merchant(emulator, clock):
    return Merchant(emulator, clock)
