"""A shop with Amazon Pay's adapter and its emulator, on a clock that a test moves."""

from datetime import UTC, datetime, timedelta

import pytest

from kessai import Command, Engine, MemoryStore
from kessai_adapters.amazon_pay.exchanges import BROUGHT
from kessai_adapters.amazon_pay.local import LocalAmazonPay

FOUND_LATER = timedelta(minutes=11)


class AmazonShop:
    """An order system of one shop; keys are made by counting."""

    def __init__(self):
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.local = LocalAmazonPay(clock=lambda: self.now)
        self.emulator = self.local.emulator
        self.adapter = self.local.adapter
        self.engine = Engine(
            adapters=[self.adapter],
            store=MemoryStore(),
            transport=self.local.transport,
            clock=lambda: self.now,
        )
        self._keys = 0

    def does(
        self,
        name,
        order,
        amount=None,
        lifecycle=None,
        *,
        agreement=None,
        currency="JPY",
        **params,
    ):
        self._keys += 1
        command = Command(
            name,
            order,
            key=f"key-{self._keys}",
            amount=amount,
            lifecycle=lifecycle,
            agreement=agreement,
            currency=currency if lifecycle else None,
            parameters=params,
        )
        return self.engine.execute(command)

    def comes_back(self, order):
        session = self.emulator.consumer.approve(order)
        return self.engine.resume(order, {BROUGHT: session})

    def authorized(self, order="o-1", amount=1200, **params):
        self.does("authorize", order, amount, "amazon_pay", **params)
        return self.comes_back(order)

    def consented(self, order="club-7"):
        monthly = {"unit": "Month", "value": 1}
        kind = "amazon_pay_recurring"
        self.does("authorize", order, 980, kind, frequency=monthly)
        return self.comes_back(order)

    def passes(self, span=FOUND_LATER):
        self.now += span
        return self.engine.recover()

    def hears(self):
        for each in self.emulator.take_notifications():
            self.engine.receive_notification(each.headers, each.body)

    def stands(self, order="o-1"):
        found = self.engine.transaction(order)
        assert found.discrepancies == {}
        amounts = {name: n for name, n in found.amounts.items() if n}
        return found.status, amounts


@pytest.fixture
def shop():
    return AmazonShop()
