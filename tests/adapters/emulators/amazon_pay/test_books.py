"""The books in a file: what a later process finds of orders, keys and exchanges."""

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from kessai import Command, Engine, MemoryStore
from kessai_adapters.amazon_pay.exchanges import BROUGHT
from kessai_adapters.amazon_pay.local import LocalAmazonPay
from kessai_adapters.emulators import BooksInUse
from kessai_adapters.emulators.amazon_pay import AmazonPayEmulator

ONE_TIME = {"lifecycle": "amazon_pay", "currency": "JPY", "amount": 1200}
MONTHLY = {"unit": "Month", "value": 1}


def all_of(emulator):
    """Everything that the books have, as plain values."""
    moved = emulator.books.movements
    return (
        emulator.orders(),
        {order: [attrs.asdict(each) for each in moved[order]] for order in moved},
        {key: attrs.asdict(each) for key, each in emulator.books.used.items()},
    )


class Shop:
    """An order system, and an emulator that ends and begins again after every step."""

    def __init__(self, path):
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.path = path
        self.local = self._opened()
        self.engine = Engine(
            adapters=[self.local.adapter],
            store=MemoryStore(),
            transport=self,
            clock=lambda: self.now,
        )

    def _opened(self):
        return LocalAmazonPay(clock=lambda: self.now, books=self.path)

    def send(self, request):
        return self.local.transport.send(request)

    def close(self):
        self.local.close()

    def step(self, act):
        done = act()
        before = all_of(self.local.emulator)
        self.local.close()
        self.local = self._opened()
        assert all_of(self.local.emulator) == before
        return done

    def does(self, name, order="o-1", **given):
        key = f"{name} {order}"
        return self.step(
            lambda: self.engine.execute(Command(name, order, key=key, **given))
        )

    def comes_back(self, order="o-1"):
        session = self.step(lambda: self.local.emulator.consumer.approve(order))
        return self.step(lambda: self.engine.resume(order, {BROUGHT: session}))


@pytest.fixture
def shop(tmp_path):
    made = Shop(tmp_path / "books.db")
    with made.engine:
        yield made


def test_a_payment_goes_on_in_each_later_process(shop):
    shop.does("authorize", **ONE_TIME)
    shop.comes_back()
    shop.does("capture", amount=1000)
    shop.does("refund", amount=300)
    shop.step(lambda: shop.local.emulator.complete("o-1"))
    found = shop.engine.reconcile("o-1").transaction
    assert (found.amounts["captured"], found.amounts["refunded"]) == (1000, 300)
    moved = [
        (each.command, each.result)
        for each in shop.local.emulator.books.movements["o-1"]
    ]
    assert moved == [
        ("authorize", "success"),
        *[(n, "success") for n in ("capture", "refund")],
    ]


def test_a_permission_is_charged_changed_and_closed_in_each_later_process(shop):
    agreed = {"lifecycle": "amazon_pay_recurring", "currency": "JPY", "amount": 980}
    shop.does("authorize", "club", **agreed, parameters={"frequency": MONTHLY})
    shop.comes_back("club")
    charged = {"lifecycle": "amazon_pay_charge", "currency": "JPY", "amount": 980}
    shop.does("create_charge", "c-1", agreement="club", **charged)
    shop.does("cancel", "c-1")
    changed = {"amount": 500, "parameters": {"frequency": MONTHLY}}
    assert shop.does("update_consent", "club", **changed).status == "succeeded"
    shop.does("terminate", "club")
    assert shop.engine.transaction("club").status == "consent.terminated"


def test_what_was_left_open_lapses_in_a_later_process(shop):
    shop.does("authorize", **ONE_TIME)
    shop.now += timedelta(hours=25)
    shop.step(lambda: None)
    ((session,),) = shop.local.emulator.orders().values()
    assert session["statusDetails"]["reasonCode"] == "Expired"


def test_two_emulators_do_not_share_a_file(shop, monkeypatch):
    monkeypatch.setattr("kessai_adapters.emulators.shelf._PATIENCE_SECONDS", 0.0)
    with pytest.raises(BooksInUse):
        AmazonPayEmulator(books=shop.path)
