"""A shop whose clock is moved by hand."""

from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta

import pytest

from kessai import Command, Engine, MemoryStore
from kessai_adapters.veritrans4g.local import LocalGateway

NOON = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)


class Shop:
    def __init__(self, store):
        self.now = NOON
        self.local = LocalGateway(clock=lambda: self.now)
        self.engine = Engine(
            adapters=[self.local.adapter],
            store=store,
            transport=self.local.transport,
            clock=lambda: self.now,
        )

    def does(self, command, order="A-1", **fields):
        self.now += timedelta(minutes=1)
        key = f"{order}-{command}-{self.now}"
        answer = self.engine.execute(Command(command, order, key=key, **fields))
        self.engine.recover_transaction(order)
        return answer

    def sells(self, order="A-1"):
        """Five events."""
        self.does("authorize", order, amount=1000, lifecycle="one_time")
        self.does("capture", order, amount=900)

    def close(self):
        self.engine.close()
        self.local.close()


@pytest.fixture
def shop_on():
    """A shop on a store, to be closed with it."""
    with ExitStack() as opened:
        yield lambda store: opened.enter_context(closing(Shop(store)))


@pytest.fixture
def shop(shop_on):
    return shop_on(MemoryStore())
