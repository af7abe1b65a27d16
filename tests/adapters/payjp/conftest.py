"""A shop at PAY.JP: an engine, the adapter and the gateway's emulator, by one clock."""

from datetime import UTC, datetime, timedelta

import pytest

from kessai import Command, Engine, MemoryStore
from kessai_adapters.payjp.local import LocalPayJp


class Shop:
    """An order system, its engine, and what stands at the gateway."""

    def __init__(self):
        self.now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        self.local = LocalPayJp(
            clock=lambda: self.now, approve="ask", webhook_url="http://127.0.0.1/hook"
        )
        self.gateway = self.local.emulator
        self.engine = Engine(
            store=MemoryStore(),
            adapters=[self.local.adapter],
            transport=self.local.transport,
            clock=lambda: self.now,
        )
        self.keys = 0
        self.last = None

    def customer(self, number="4242424242424242"):
        """A customer with a card on file, by the parameters that name both."""
        books = self.gateway.books
        made = books.make("customer", default_payment_method_id=None)
        customer = books.save(made).id
        method = self.gateway.cards.make_method("card", customer, {"number": number})
        return {"customer": customer, "payment_method": method.id}

    def ask(self, name, order="order-7", amount=None, lifecycle=None, **more):
        self.keys += 1
        command = Command(
            name,
            order,
            key=f"key-{self.keys}",
            lifecycle=lifecycle,
            amount=amount,
            currency="JPY" if lifecycle else None,
            agreement=more.pop("agreement", None),
            parameters=more,
        )
        self.last = command
        return self.engine.execute(command)

    def authorize(self, amount=500, number="4242424242424242", **more):
        paid = self.customer(number)
        return self.ask("authorize", amount=amount, lifecycle="card", **paid, **more)

    def pass_(self, **time):
        self.now += timedelta(**time)

    def transaction(self, order="order-7"):
        return self.engine.transaction(order)

    def state(self, order="order-7"):
        (state,) = self.transaction(order).states.values()
        return state

    def flow(self, order="order-7"):
        return self.gateway.books.objects[
            self.transaction(order).references["payment_flow"]
        ]

    def deliver(self):
        """Hand every webhook on to the engine, as an endpoint does."""
        for each in self.gateway.take_notifications():
            self.engine.receive_notification(each.headers, each.body)


@pytest.fixture
def shop():
    made = Shop()
    yield made
    made.engine.close()
    made.local.close()
