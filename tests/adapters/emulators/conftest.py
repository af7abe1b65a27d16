"""A till: the smallest gateway that an emulator can stand in for."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from kessai_adapters.emulators import (
    EmulatorReply,
    FaultRule,
    Mishaps,
    Notification,
    Outbox,
    OutOfPlay,
    suffer,
)
from kessai_adapters.emulators.reply import plain

TOO_MANY = FaultRule(spoil=lambda _: plain(429), carried_out=False)
LATER = FaultRule(spoil=None, spares={"read"})


class Clock:
    """A clock that a test moves by hand."""

    def __init__(self):
        self.now = datetime(2024, 6, 1, 3, 0, tzinfo=UTC)

    def __call__(self):
        return self.now

    def pass_days(self, days):
        self.now += timedelta(days=days)


class Till:
    """Any method at `/orders/ID` opens an order, and GET reads it."""

    def __init__(self, clock, url="http://127.0.0.1:9/hook"):
        self.base_url = "https://till.example"
        self.mishaps = Mishaps(["open", "read"], {"http_429": TOO_MANY, "later": LATER})
        self.outbox = Outbox()
        self.orders = {}
        self.url = url
        self.clock = clock
        self.consumer = Consumer(self)
        self.portal = Portal(self)
        self._lock = threading.RLock()

    def handle(self, method, path, headers, body):
        command = "read" if method == "GET" else "open"
        mishap = self.mishaps.next(command)

        def work():
            return self._answer(method, path.rpartition("/")[2], mishap)

        with self._lock:
            return work() if mishap is None else suffer(mishap, work)

    def _answer(self, method, order_id, mishap):
        if method != "GET":
            later = mishap is not None and mishap.gateways_own
            self.become(order_id, "pending" if later else "open")
        said = {"method": method, "state": self.orders.get(order_id)}
        return EmulatorReply(
            status=200 if said["state"] else 404,
            headers={"Content-Type": "application/json"},
            body=json.dumps(said).encode(),
        )

    def become(self, order_id, state):
        """An order's state, and the notification of it."""
        self.orders[order_id] = state
        notification = Notification(
            id=f"n{len(self.outbox) + 1}",
            name=f"order.{state}",
            order=order_id,
            url=self.url,
            headers={"Content-Type": "application/json"},
            body=json.dumps({"order": order_id, "state": state}).encode(),
        )
        self.outbox.put(notification)
        return state

    def take_notifications(self):
        return self.outbox.take()

    def misbehave(
        self,
        fault: str,
        *,
        command: str | None = None,
        times: int = 1,
        carried_out: bool | None = None,
    ):
        self.mishaps.ask(fault, command, times, carried_out=carried_out)

    def behave(self):
        self.mishaps.clear()

    def complete(self, order_id: str):
        return self._end(order_id, "completed")

    def fail(self, order_id: str):
        return self._end(order_id, "failed")

    def _end(self, order_id, state):
        if self.orders.get(order_id) != "pending":
            message = f"nothing of {order_id} is pending"
            raise OutOfPlay(message)
        return self.become(order_id, state)

    def close(self):
        pass


class Consumer:
    """The till's consumer."""

    def __init__(self, till):
        self._till = till

    def approve(self, order_id: str):
        """Approve."""
        if order_id not in self._till.orders:
            message = f"no order {order_id}"
            raise OutOfPlay(message)
        return self._till.become(order_id, "approved")


class Portal:
    """The till's portal."""

    def __init__(self, till):
        self._till = till

    def refund(self, order_id: str, amount: int | None = None):
        """Refund `amount`, or all."""
        return self._till.become(order_id, f"refunded {amount or 'all'}")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def till(clock):
    return Till(clock)
