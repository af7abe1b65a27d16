"""A shop whose orders are drawn: an engine, the emulator beside it, a clock by hand."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import attrs
import pytest

from kessai import Command, Engine, MemoryStore
from kessai.diagram import TransactionPath, render_transaction
from kessai.machine import Machines, read_events
from kessai.shell import shipped_lifecycles
from kessai_adapters.emulators.in_process import EmulatorTransport
from kessai_adapters.emulators.veritrans4g import DEFAULT_CCID, DEFAULT_KEY, Emulator
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G

SVG = "{http://www.w3.org/2000/svg}"


@attrs.frozen
class Drawn:
    """A picture as tests ask of it."""

    text: str
    classes: dict[str, set[str]]
    titles: dict[str, list[str]]
    labels: dict[str, str]

    def of(self, name):
        """The ids of what has this class."""
        return {named for named, classes in self.classes.items() if name in classes}


def parsed(picture):
    root = ET.fromstring(picture)  # noqa: S314 (made here)
    named = {e.get("id"): e for e in root.iter() if e.get("id")}
    return Drawn(
        text=picture,
        classes={i: set(e.get("class", "").split()) for i, e in named.items()},
        titles={i: e.findtext(f"{SVG}title", "").split("\n") for i, e in named.items()},
        labels={
            i: e.findtext(f"{SVG}text", "")
            for i, e in {**named, **_by_arrow(root)}.items()
        },
    )


def _by_arrow(root):
    """The labels of arrows, by the arrows' ids."""
    return {e.get("data-edge"): e for e in root.iter() if e.get("data-edge")}


def events_of(store, transaction):
    return list(read_events(store.records(transaction)))


class Shop:
    def __init__(self):
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.emulator = Emulator(clock=lambda: self.now, approve="ask")
        adapter = VeriTrans4G(
            Credentials(DEFAULT_CCID, DEFAULT_KEY),
            dummy=True,
            notification_url="https://shop.example/push",
        )
        transport = EmulatorTransport(self.emulator)
        self.engine = Engine(
            adapters=[adapter],
            store=MemoryStore(),
            transport=transport,
            clock=lambda: self.now,
        )
        self._machines = Machines(shipped_lifecycles())
        self._keys = 0

    def later(self, **span):
        self.now += timedelta(**span)

    def do(self, name, transaction="order", **fields):
        self._keys += 1
        self.later(minutes=1)
        command = Command(name, transaction, key=f"key-{self._keys}", **fields)
        return self.engine.execute(command)

    def apply(self, transaction="order", amount=1000, lifecycle="one_time", **flags):
        if lifecycle == "recurring":
            flags["frequency"] = {"unit": "Month", "value": 1}
        return self.do(
            "authorize",
            transaction,
            amount=amount,
            lifecycle=lifecycle,
            parameters=flags,
        )

    def notification(self):
        for notification in self.emulator.take_notifications():
            self.engine.receive_notification(notification.headers, notification.body)

    def authorized(self, transaction="order", **fields):
        self.apply(transaction, **fields)
        self.later(minutes=1)
        self.emulator.consumer.approve(transaction)
        self.notification()

    def path(self, transaction="order"):
        found = self.engine.transaction(transaction)
        machine = self._machines.by_hash(found.lifecycle_hash)
        return TransactionPath(
            lifecycle=machine.lifecycle,
            transaction=found,
            events=events_of(self.engine.store, transaction),
            possibilities=self.engine.can(transaction),
        )

    def drawn(self, transaction="order", language="en"):
        picture = render_transaction(self.path(transaction), "svg", language)
        return parsed(picture)


@pytest.fixture
def shop():
    shop = Shop()
    yield shop
    shop.engine.close()


@pytest.fixture
def parse():
    return parsed
