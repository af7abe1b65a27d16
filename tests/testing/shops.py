"""Order systems to be tried: one that is right, and some that are wrong in known ways."""

from collections import defaultdict

import attrs

from kessai import Status
from kessai.testing import OrderSystem


class Shop:
    """Keeps of each order what it has come to, as the engine reports it."""

    def __init__(self, engine):
        self.engine = engine
        self.orders = set()
        self.rows = defaultdict(dict)

    def carry_out(self, command):
        self.orders.add(command.transaction)
        answer = self.engine.execute(command)
        self.refresh(command.transaction)
        return answer

    def receive(self, headers, body):
        self.engine.receive_notification(headers, body)
        self.refresh_all()

    def catch_up(self):
        self.engine.recover()
        for order in self.known():
            self.engine.sweep(order.id)
        self.refresh_all()

    def refresh_all(self):
        for order in sorted(self.orders):
            self.refresh(order)

    def refresh(self, order):
        found = self.engine.store.load(None, order, None).transaction
        if found is not None and found.exists:
            self.enter(self.rows[order], found)

    def enter(self, row, found):
        row["captured"] = found.amounts["captured"]
        row["refunded"] = found.amounts["refunded"]
        if "payment" in found.states:
            row["payment"] = found.states["payment"]

    def books(self):
        return self.rows

    def for_a_person(self):
        return {order.id for order in self.known() if order.discrepancies}

    def known(self):
        transactions = self.engine.store.transactions()
        return [found for found in transactions if found.id in self.orders]


class ShopTest(OrderSystem):
    make = Shop

    def open(self, engine):
        return self.make(engine)

    def ask(self, shop, command):
        shop.carry_out(command)

    def notification(self, shop, headers, body):
        shop.receive(headers, body)

    def recover(self, shop):
        shop.catch_up()

    def books(self, shop):
        return shop.books()

    def flagged(self, shop):
        return shop.for_a_person()


# ── what order systems are known to get wrong ───────────────────────────────────────


class CountsPendingRefunds(Shop):
    """A refund that the gateway has only accepted counts as paid back."""

    def enter(self, row, found):
        super().enter(row, found)
        row["refunded"] += found.amounts["refunding"]


class IgnoresDiscrepancies(Shop):
    """A discrepancy of the engine's is shown to nobody."""

    def for_a_person(self):
        return set()


class ForgetsDeclined(Shop):
    """An opening command that is declined stays what it was."""

    def enter(self, row, found):
        if found.states.get("payment") != "failed":
            super().enter(row, found)


class RetriesUnderAnotherKey(Shop):
    """Saleor #19812: no answer, so it is asked for again, as something new."""

    def carry_out(self, command):
        answer = super().carry_out(command)
        if answer.status is Status.UNKNOWN:
            again = attrs.evolve(command, key=f"{command.key}-again")
            answer = super().carry_out(again)
        return answer


class SubmitsTwice(Shop):
    """A double click is two wishes."""

    def carry_out(self, command):
        for click in ("first", "second"):
            key = f"{command.key}-{click}"
            answer = super().carry_out(attrs.evolve(command, key=key))
        return answer


class TakesUnknownForFailed(Shop):
    """No answer is taken for a no, and the order is looked at no more."""

    def __init__(self, engine):
        super().__init__(engine)
        self.given_up = set()

    def carry_out(self, command):
        answer = super().carry_out(command)
        if answer.status is Status.UNKNOWN:
            self.given_up.add(command.transaction)
        return answer

    def refresh(self, order):
        if order not in self.given_up:
            super().refresh(order)


class ClampsAmounts(Shop):
    """More than there is to refund is wanted, and what there is is refunded."""

    def carry_out(self, command):
        if command.name == "refund" and command.amount is not None:
            (refund,) = self.engine.can(command.transaction, "refund")
            most = refund.bounds.maximum
            command = attrs.evolve(command, amount=min(command.amount, max(most, 0)))
        return super().carry_out(command)


class CountsPendingRefundsTest(ShopTest):
    make = CountsPendingRefunds


class IgnoresDiscrepanciesTest(ShopTest):
    make = IgnoresDiscrepancies


class ForgetsDeclinedTest(ShopTest):
    make = ForgetsDeclined


class RetriesUnderAnotherKeyTest(ShopTest):
    make = RetriesUnderAnotherKey


class SubmitsTwiceTest(ShopTest):
    make = SubmitsTwice


class TakesUnknownForFailedTest(ShopTest):
    make = TakesUnknownForFailed


class ClampsAmountsTest(ShopTest):
    make = ClampsAmounts


WRONG = (
    CountsPendingRefundsTest,
    IgnoresDiscrepanciesTest,
    ForgetsDeclinedTest,
    RetriesUnderAnotherKeyTest,
    SubmitsTwiceTest,
    TakesUnknownForFailedTest,
    ClampsAmountsTest,
)
