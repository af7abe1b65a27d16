"""After a crash: open again, recover, ask again, and compare the books to the yen."""

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import timedelta

import attrs

from breakage.gateway import Gateway
from breakage.player import Player
from breakage.story import Do, Wait
from kessai import Missing, Recovery, SQLiteStore
from kessai.audit import verify
from kessai.machine import Begun, broken_invariants, read_events
from kessai.simulator import differences
from kessai_adapters.veritrans4g.played import booked_order

LONG_ENOUGH = timedelta(hours=7)
ROUNDS = 6


class Violation(AssertionError):
    """Something was lost, or done twice, or does not hold."""


def demand(holds, message, *details):
    if not holds:
        raise Violation(" ".join([message, *map(repr, details)]))


def as_it_should_be(story, path):
    """The gateway after the story was run undisturbed."""
    gateway = Gateway()
    player = Player(SQLiteStore(path), gateway, story.drives)
    player.play(story.steps)
    player.close()
    demand(not player.failed, "an undisturbed story fails:", player.failed)
    return exchanges(gateway)


def exchanges(gateway):
    """All that was carried out, order by order: command, amount, result.

    Reads are left out: they have no effect, and are asked anew each time.
    """
    return Counter(
        (order.order_id, e.command.value, e.amount, e.result.value)
        for order in gateway.emulator.books
        for e in order.exchanges
        if e.command.value != "GetAddress"
    )


@attrs.define
class Aftermath:
    """The file and the gateway that a run left behind."""

    path: str
    story: object
    gateway: Gateway
    under_way: int | None
    missing: Missing = Missing.RESEND
    player: Player | None = None

    def judge(self, expected):
        """Demand all that must hold, with `expected` as the gateway should end up.

        Raises:
            Violation: it does not.

        """
        with closing(sqlite3.connect(self.path)) as raw:
            found = raw.execute("PRAGMA integrity_check").fetchall()
        demand(found == [("ok",)], "the file is damaged:", found)
        store = SQLiteStore(self.path)
        self.player = Player(store, self.gateway, self.story.drives)
        try:
            self._nothing_acknowledged_is_lost(store)
            self._nothing_was_done_without_intent(store)
            self._asking_at_once_repeats_nothing(store)
            self._recover(store)
            self._ask_all_again()
            self._recover(store)
            self._deliver_all_again()
            self._books_agree(store)
            self._nothing_was_done_twice(expected)
        finally:
            self.player.close()

    def _nothing_acknowledged_is_lost(self, store):
        for answer in self.gateway.acknowledged.values():
            if answer is None:
                continue
            trail = store.records(answer.transaction)
            demand(len(trail) >= answer.version, "acknowledged and lost:", answer)
            if answer.version:
                head = trail[answer.version - 1].hash
                demand(head == answer.head, "acknowledged and another:", answer)
            kept = store.load(answer.key, answer.transaction, None).recorded
            demand(kept is not None, "no answer is kept:", answer)
            ended = answer.status in {"succeeded", "declined", "denied"}
            demand(
                not ended or kept.outcome == answer.status, "it changed:", answer, kept
            )

    def _nothing_was_done_without_intent(self, store):
        for order in self.gateway.emulator.books:
            begun = len(list(intents(store, order.order_id)))
            did = sum(e.command.value != "GetAddress" for e in order.exchanges)
            demand(did <= begun, "carried out without intent:", order)

    def _asking_at_once_repeats_nothing(self, store):
        if self.under_way is None:
            return
        step = self.story.steps[self.under_way]
        if not isinstance(step, Do):
            return
        self.gateway.emulator.behave()
        key = self.gateway.asked[self.under_way]
        command = attrs.evolve(step.command, key=key)
        known = store.load(key, command.transaction, None).recorded is not None
        before = exchanges(self.gateway)
        self.player.ask(command)
        after = exchanges(self.gateway)
        if known and command.name != "get_address":
            demand(before == after, "the same key had another effect:", command)

    def _recover(self, store):
        self.gateway.emulator.behave()
        recovery = Recovery(missing=self.missing)
        for _ in range(ROUNDS):
            self.player.clock.now += LONG_ENOUGH
            self._finish_at_the_gateway()
            self.player.deliver()
            self.player.recover(recovery)
            if not any(t.operations for t in store.transactions()):
                return
        left = [t for t in store.transactions() if t.operations]
        demand(not left, "never resolved:", left)

    def _finish_at_the_gateway(self):
        for order in [order.order_id for order in self.gateway.emulator.books]:
            self.gateway.approve(order)
            while self.gateway.complete(order):
                pass

    def _ask_all_again(self):
        """The whole story once more, under the same keys; without what befell it."""
        done = set(self.gateway.acknowledged)
        for number, step in enumerate(self.story.steps):
            if isinstance(step, Do):
                key = self.gateway.asked.get(number, step.command.key)
                self._ask_again(number, step.command, key)
            elif not (isinstance(step, Wait) and number in done):
                self.player.take(number, step)
        demand(not self.player.failed, "fails:", self.player.failed)

    def _ask_again(self, number, command, key):
        self.player.take(number, Do(attrs.evolve(command, key=key)))
        answer = self.gateway.acknowledged.get(number)
        if answer and answer.status == "declined" and answer.may_send_again:
            # It was presumed lost and never arrived: the order system asks anew.
            anew = attrs.evolve(command, key=f"{key}-anew")
            self.player.take(number, Do(anew))

    def _deliver_all_again(self):
        for _ in range(2):
            for notification in self.gateway.deliveries:
                self.player.call(
                    "receive_notification", notification.headers, notification.body
                )

    def _books_agree(self, store):
        machines = {machine.name: machine for machine in self.player.engine.machines}
        orders = self.gateway.emulator.books.orders
        standing = {t.id: t for t in store.transactions() if t.exists}
        demand(orders.keys() <= standing.keys(), "orders that nobody knows")
        for transaction in standing.values():
            broken = broken_invariants(machines[transaction.lifecycle], transaction)
            demand(broken == (), "an invariant is broken:", broken)
            demand(transaction.discrepancies == {}, "a discrepancy:", transaction)
            order = self.gateway.emulator.books.find(
                transaction.id, self.gateway.clock()
            )
            standing = None if order is None else booked_order(order)
            found = list(differences(transaction, standing))
            demand(not found, "differs:", transaction.id, found)
        report = verify(store)
        demand(report.holds, "the trail does not hold:", report.faults)
        demand(report.open_operations.count == 0, "open still:", report)

    def _nothing_was_done_twice(self, expected):
        found = exchanges(self.gateway)
        demand(found <= expected, "done more than once:", found - expected)
        if self.missing is Missing.RESEND:
            demand(found == expected, "never done:", expected - found)


def intents(store, transaction):
    for event in read_events(store.records(transaction)):
        if isinstance(event, Begun):
            yield event
