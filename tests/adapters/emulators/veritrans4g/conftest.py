"""A small shop that speaks the wire format, written from the gateway's documents."""

import hashlib
import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import quote_plus

import attrs
import pytest

from kessai_adapters.emulators.veritrans4g import DEFAULT_CCID, DEFAULT_KEY, Emulator

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


class Clock:
    """A clock that a test moves by hand."""

    def __init__(self):
        self.now = datetime(2024, 6, 1, 3, 0, tzinfo=UTC)

    def __call__(self):
        return self.now

    def pass_days(self, days):
        self.now += timedelta(days=days)


def written(params, key=DEFAULT_KEY):
    """The JSON text of a request, `authHash` over the very text of `params`."""
    text = json.dumps(params, separators=(",", ":"), ensure_ascii=False)
    auth_hash = hashlib.sha256(f"{DEFAULT_CCID}{text}{key}".encode()).hexdigest()
    return f'{{"params":{text},"authHash":"{auth_hash}"}}'


@attrs.define
class Shop:
    """A merchant that sends commands and reads the answers."""

    emulator: Emulator
    clock: Clock
    dummy: bool = False

    def common(self):
        return {
            "txnVersion": "2.0.0",
            "dummyRequest": "1" if self.dummy else "0",
            "merchantCcid": DEFAULT_CCID,
        }

    def path(self, command):
        prefix = "test-" if self.dummy else ""
        if command == "Search":
            return f"/{prefix}paynow-search/v2/Search/search"
        return f"/{prefix}paynow/v2/{command}/amazonpay"

    def post(self, command, text, kind=FORM):
        body = (quote_plus(text) if kind == FORM else text).encode()
        headers = {"Content-Type": kind}
        return self.emulator.handle("POST", self.path(command), headers, body)

    def send(self, command, order_id, **params):
        """Send a command; return `result`."""
        text = written({"orderId": order_id, **params, **self.common()})
        return json.loads(self.post(command, text).body)["result"]

    def ok(self, command, order_id, **params):
        """Send a command that must succeed."""
        result = self.send(command, order_id, **params)
        assert result["mstatus"] == "success", result
        return result

    def refused(self, command, order_id, **params):
        """Send a command that must fail; return its code without trailing zeros."""
        result = self.send(command, order_id, **params)
        assert result["mstatus"] == "failure", result
        assert len(result["vResultCode"]) == 16
        assert result["merrMsg"]
        return result["vResultCode"][:8]

    def search(self, order_id, *, dummy_flag=True):
        params = {
            "serviceTypeCd": ["amazonpay"],
            "searchParameters": {"common": {"orderId": order_id}, "amazonpay": {}},
            **({"containDummyFlag": "1"} if dummy_flag else {}),
            **self.common(),
        }
        return json.loads(self.post("Search", written(params)).body)["result"]

    def inquire(self, order_id):
        """Return the one order that an inquiry finds."""
        found = self.search(order_id)
        assert found["searchCount"] == 1
        return found["orderInfos"]["orderInfo"][0]

    def status(self, order_id):
        return self.inquire(order_id)["orderStatus"]

    def consent(self, order_id):
        return self.inquire(order_id)["properOrderInfo"]["consentStatus"]

    def trail(self, order_id):
        """Return the inquiry's list as (command, mstatus, amount)."""
        entries = self.inquire(order_id)["transactionInfos"]["transactionInfo"]
        return [
            (entry["command"], entry["mstatus"], entry.get("amount"))
            for entry in entries
        ]

    def authorized(self, order_id, amount=1000, **params):
        """Apply for a one-time payment."""
        return self.ok("Authorize", order_id, amount=str(amount), **params)

    def consented(self, order_id, amount=1000, **params):
        """Apply for a recurring payment, monthly."""
        terms = {"frequencyUnit": "Month", "frequencyValue": "1"}
        recurring = {"accountingType": "1", **terms, **params}
        return self.ok("Authorize", order_id, amount=str(amount), **recurring)

    def captured(self, order_id, amount=1000):
        self.authorized(order_id, amount, withCapture="true")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def emulator(clock):
    with Emulator(clock=clock) as emulator:
        yield emulator


@pytest.fixture
def shop(emulator, clock):
    return Shop(emulator, clock)


@pytest.fixture
def sign():
    return written


@pytest.fixture(scope="session")
def shop_of():
    """Return a context manager that opens a shop with an emulator of its own."""

    @contextmanager
    def shop_of():
        clock = Clock()
        with Emulator(clock=clock) as emulator:
            yield Shop(emulator, clock)

    return shop_of
