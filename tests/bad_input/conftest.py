"""An engine whose every trace can be looked at: what it keeps, and what it sends."""

import pytest

from kessai import Command, Engine, MemoryStore, SQLiteStore
from kessai_adapters.veritrans4g.local import LocalGateway

CARD = "4111111111111111"
"""A number that every gateway's documents give for tests."""


class Counting:
    """A transport that counts what it carries."""

    def __init__(self, transport):
        self._transport = transport
        self.sent = []

    def send(self, request, *deadline):
        self.sent.append(request)
        return self._transport.send(request, *deadline)

    def close(self):
        self._transport.close()


class Shop:
    def __init__(self, store):
        self.gateway = LocalGateway()
        self.store = store
        self.wire = Counting(self.gateway.transport)
        self.engine = Engine(
            adapters=[self.gateway.adapter], store=store, transport=self.wire
        )
        self._keys = 0

    def do(self, name, transaction, **fields):
        self._keys += 1
        fields.setdefault("key", f"key-{self._keys}")
        return self.engine.execute(Command(name, transaction, **fields))

    def apply(self, transaction="order", **fields):
        fields = {"lifecycle": "one_time", "amount": 1000, **fields}
        return self.do("authorize", transaction, **fields)

    def traces(self):
        """Everything that stands in the store, and how often the gateway was asked."""
        return (
            {t.id: t for t in self.store.transactions()},
            dict(self.store.trails()),
            len(self.wire.sent),
        )

    def close(self):
        self.engine.close()
        self.gateway.close()


@pytest.fixture(params=["memory", "sqlite"])
def shop(request, tmp_path):
    store = MemoryStore()
    if request.param == "sqlite":
        store = SQLiteStore(tmp_path / "shop.db")
    shop = Shop(store)
    yield shop
    shop.close()


@pytest.fixture
def card():
    return CARD
