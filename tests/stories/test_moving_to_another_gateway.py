"""A shop moves from one gateway to another: new orders there, old ones live on here.

One store has the orders of both accounts. Each is carried on where it began, whatever
account new orders are opened in.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from kessai import Command, Engine, MemoryStore
from kessai.audit import verify
from kessai.errors import AccountUnknown
from kessai.gateway import Failure, Reply, Request
from kessai_adapters.stripe.local import LocalStripe
from kessai_adapters.veritrans4g.local import LocalGateway

CARD = {"lifecycle": "card", "parameters": {"payment_method": "pm_card_visa"}}


class Roads:
    """The way to each gateway, by the beginning of its URLs."""

    def __init__(self, *gateways: LocalGateway | LocalStripe) -> None:
        self._ways = {each.adapter.host: each.transport for each in gateways}

    def send(self, request: Request) -> Reply | Failure:
        (way,) = (w for h, w in self._ways.items() if request.url.startswith(h))
        return way.send(request)

    def close(self) -> None:
        pass


class Shop:
    """The shop's orders in one store, and the gateways that it has contracts with."""

    def __init__(self) -> None:
        self.now = datetime(2026, 4, 1, tzinfo=UTC)
        self.store = MemoryStore()
        self.before = LocalGateway(clock=lambda: self.now)
        self.after = LocalStripe(clock=lambda: self.now)

    @contextmanager
    def engine(self, *gateways: LocalGateway | LocalStripe) -> Iterator[Engine]:
        adapters = [each.adapter for each in gateways]
        with Engine(
            adapters=adapters,
            store=self.store,
            transport=Roads(*gateways),
            clock=lambda: self.now,
        ) as engine:
            yield engine

    def asks(
        self, engine: Engine, name: str, order: str, amount: int, **more: object
    ) -> Mapping[str, str]:
        """The order's state once the gateway has done it."""
        self.now += timedelta(minutes=1)
        command = Command(name, order, key=f"{name}-{order}", amount=amount, **more)
        assert not engine.execute(command).denial
        transaction = engine.reconcile(order).transaction
        assert not transaction.operations
        return transaction.states


@pytest.fixture
def shop():
    with ExitStack() as held:
        shop = Shop()
        held.callback(shop.before.close)
        held.callback(shop.after.close)
        yield shop


def test_old_orders_live_on_while_new_ones_go_to_the_new_gateway(shop):
    with shop.engine(shop.before) as engine:
        shop.asks(engine, "authorize", "old", 1200, lifecycle="one_time")
    with shop.engine(shop.after, shop.before) as engine:
        new = {**CARD, "account": shop.after.adapter.account, "currency": "JPY"}
        shop.asks(engine, "authorize", "new", 900, **new)
        assert shop.asks(engine, "capture", "old", 1200) == {"payment": "captured"}
        assert shop.asks(engine, "capture", "new", 800) == {"payment": "captured"}
        shop.asks(engine, "refund", "old", 200)
        assert shop.asks(engine, "refund", "new", 800) == {"payment": "refunded"}
    assert set(shop.store.accounts()) == {"emulator/local", "emulator/stripe"}
    assert verify(shop.store).holds
    (booked,) = shop.before.emulator.books.orders.values()
    assert (booked.captured, booked.refunded) == (1200, 200)
    booked = shop.after.played().booked("new")
    assert booked is not None
    assert (booked.amounts["captured"], booked.amounts["refunded"]) == (800, 800)


def test_with_two_contracts_a_new_order_says_which(shop):
    command = Command("authorize", "new", key="a", amount=900, currency="JPY", **CARD)
    with (
        shop.engine(shop.after, shop.before) as engine,
        pytest.raises(AccountUnknown, match="emulator/stripe"),
    ):
        engine.execute(command)


def test_without_the_old_contract_an_old_order_is_not_touched(shop):
    with shop.engine(shop.before) as engine:
        shop.asks(engine, "authorize", "old", 1200, lifecycle="one_time")
    before = shop.store.load(None, "old", None).transaction
    with (
        shop.engine(shop.after) as engine,
        pytest.raises(AccountUnknown, match="emulator/local"),
    ):
        engine.execute(Command("capture", "old", key="c"))
    assert shop.store.load(None, "old", None).transaction == before
