"""A state machine that tries one's own order system on the engine and the emulator.

    class ShopTest(OrderSystem):
        def open(self, engine): return Shop(engine)
        def ask(self, shop, command): shop.carry_out(command)
        def notification(self, shop, headers, body): shop.receive(headers, body)
        def recover(self, shop): shop.catch_up()
        def books(self, shop): return shop.books()

    TestShop = ShopTest.TestCase

Orders are placed, commands asked for and asked for again, requests and replies get
lost, processes die, notifications come twice, late or never, someone works in the
gateway's portal, deadlines pass. In the end the books of all three must be the same.
A failure is shown as a story that can be pasted into a test.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import attrs
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from kessai.machine import Bounds, Command, Machine, Transaction
from kessai.simulator import Fault, World
from kessai.simulator.commands import is_in_force, opening_of, possible_names
from kessai.simulator.faults import DEATHS, IN_THE_STORE, ON_THE_WIRE
from kessai.spec import CommandSpec
from kessai.spec.parameters import SHOP
from kessai.testing.order_kit.hooks import Hooks
from kessai.testing.order_kit.stage import IN_A_CALL, MOMENTS
from kessai.testing.order_kit.trace import Story
from kessai.testing.strategies.commands import case_of
from kessai.testing.strategies.denied import denials
from kessai.testing.strategies.values import wrong_amounts
from kessai.testing.strategies.variants import (
    CommandCase,
    CommandVariant,
    plainest,
    ways,
)

ORDERS = 2
"""How many orders of a lifecycle there are at most: few, so that things meet."""

_MOST = 1000
_ACTS = ("approve", "approve", "approve", "log_in", "decline", "refuse_card")
_PORTAL = ("capture", "cancel", "refund", "terminate", "expire")
_TIMES: Sequence[Mapping[str, int]] = (
    {"seconds": 30},
    {"minutes": 3},
    {"minutes": 11},
    {"hours": 1},
    {"days": 1},
    {"days": 30},
)


class OrderSystem(RuleBasedStateMachine, Hooks):
    """Override the hooks that differ for your order system; `TestCase` is the test."""

    def __init__(self) -> None:
        super().__init__()
        self._story = Story(self)

    def __init_subclass__(cls) -> None:
        """Leave Hypothesis' explanations out: they take minutes; the story explains."""
        case = cls.TestCase
        phases = [each for each in case.settings.phases if each is not Phase.explain]
        case.settings = settings(case.settings, phases=phases)

    @classmethod
    @contextmanager
    def story(cls) -> Iterator[Story]:
        """A story written by hand; at the end of the block everything resolves."""
        story = cls()._story  # noqa: SLF001 - its own
        try:
            yield story
            story.resolve()
        finally:
            story.close()

    def teardown(self) -> None:
        """Let everything resolve, and compare the books."""
        try:
            if not self._story.failed:
                self._story.resolve()
        finally:
            self._story.close()

    # ── what is asked for ───────────────────────────────────────────────────────────

    @precondition(lambda self: self._free_orders())
    @rule(data=st.data())
    def an_order_is_placed(self, data: st.DataObject) -> None:
        """An opening command, of which the consumer has still to decide."""
        self._place(data)

    @precondition(lambda self: self._free_orders())
    @rule(data=st.data())
    def an_order_is_paid(self, data: st.DataObject) -> None:
        """The same, approved at once and notified."""
        story, order = self._story, self._place(data)
        if self._world.gateway.awaits_consumer(order):
            story.consumer(order, "log_in")
            story.consumer(order, "approve")
        if self._world.notifications.get(order):
            story.notification(order, 0)

    @precondition(lambda self: self._open_ways())
    @rule(data=st.data())
    def a_command_is_wanted(self, data: st.DataObject) -> None:
        """A command that the engine would carry out."""
        self._want(data, {})

    one_more_is_wanted = a_command_is_wanted  # most of what happens is that

    @precondition(lambda self: self._open_ways() and self._faults())
    @rule(data=st.data())
    def a_command_suffers(self, data: st.DataObject) -> None:
        """A command during which something goes wrong."""
        self._want(data, self._draw_fault(data))

    another_one_suffers = a_command_suffers  # what goes wrong meets what went before

    @precondition(lambda self: self._open_ways())
    @rule(data=st.data())
    def a_command_is_overtaken(self, data: st.DataObject) -> None:
        """Notifications are delivered before the reply is read."""
        self._want(data, {"overtaken": True})

    @precondition(lambda self: self._story.transactions())
    @rule(data=st.data())
    def the_impossible_is_wanted(self, data: st.DataObject) -> None:
        """A wrong state, an amount beyond a bound, an order id that is taken."""
        case = self._case(self._world.transaction(self._draw_order(data)))
        kinds = ("as_it_stands", "amount")
        command = data.draw(denials(case, kinds), label="impossible").command
        self._ask(attrs.evolve(command, key=self._next_key()), {})

    @precondition(lambda self: self._open_ways())
    @rule(data=st.data())
    def too_much_is_wanted(self, data: st.DataObject) -> None:
        """An amount beyond the bounds of a command that is possible."""
        self._want(data, {}, wrong_amounts)

    @precondition(lambda self: self._story.wanted)
    @rule(data=st.data())
    def it_is_asked_for_again(self, data: st.DataObject) -> None:
        """Whoever wanted it asks once more: the same wish, under the same key."""
        self._ask(self._draw_wish(data), {})

    @precondition(lambda self: self._story.wanted)
    @rule(data=st.data())
    def it_is_asked_for_otherwise(self, data: st.DataObject) -> None:
        """The same key comes with another amount: a mistake, and no new wish."""
        wish = self._draw_wish(data)
        if wish.amount is not None:
            self._ask(attrs.evolve(wish, amount=wish.amount + 1), {})

    # ── what the gateway and its consumer do ────────────────────────────────────────

    @precondition(lambda self: self._world.waiting)
    @rule(data=st.data(), act=st.sampled_from(_ACTS))
    def the_consumer_acts(self, data: st.DataObject, act: str) -> None:
        """About one of the opening commands that wait."""
        waiting = list(self._world.waiting)
        order = data.draw(st.sampled_from(waiting))
        if act != "log_in":
            self._story.consumer(order, "log_in")
        self._story.consumer(order, act)

    @precondition(lambda self: self._world.returned)
    @rule(data=st.data())
    def the_consumer_returns(self, data: st.DataObject) -> None:
        """With what the gateway's page gave, perhaps once more."""
        returned = list(self._world.returned)
        self._story.consumer_returns(data.draw(st.sampled_from(returned)))

    @precondition(
        lambda self: self._has(Fault.LATE_REVERSAL) and self._world.gateway.reversible()
    )
    @rule(data=st.data())
    def a_success_is_taken_back(self, data: st.DataObject) -> None:
        """Weeks later, perhaps: nobody has asked for it."""
        orders = self._world.gateway.reversible()
        self._story.taken_back(data.draw(st.sampled_from(orders)))

    @precondition(lambda self: self._world.pending)
    @rule(data=st.data(), good=st.booleans())
    def what_is_pending_ends(self, data: st.DataObject, *, good: bool) -> None:
        """It succeeds, or fails after all."""
        order = data.draw(st.sampled_from(list(self._world.pending)))
        self._story.pending_ends(order, good=good)

    @precondition(lambda self: self._has(Fault.PORTAL) and self._story.transactions())
    @rule(data=st.data(), act=st.sampled_from(_PORTAL))
    def someone_works_in_the_portal(self, data: st.DataObject, act: str) -> None:
        """Nobody has asked the order system."""
        amount = None
        if act in {"capture", "refund"}:
            amount = data.draw(st.sampled_from([None, 1, 50]))
        self._story.portal(self._draw_order(data), act, amount)

    @precondition(lambda self: self._world.undelivered)
    @rule(data=st.data())
    def a_notification_arrives(self, data: st.DataObject) -> None:
        """In any order."""
        undelivered = self._world.undelivered
        first_only = not self._has(Fault.REORDERED_NOTIFICATION)
        some = undelivered[:1] if first_only else undelivered
        self._story.notification(*data.draw(st.sampled_from(some)))

    @precondition(
        lambda self: self._has(Fault.DUPLICATE_NOTIFICATION) and self._notified()
    )
    @rule(data=st.data())
    def a_notification_comes_again(self, data: st.DataObject) -> None:
        """Any that there ever was."""
        self._story.notification(*data.draw(st.sampled_from(self._notified())))

    @precondition(
        lambda self: self._has(Fault.LOST_NOTIFICATION) and self._world.undelivered
    )
    @rule(data=st.data())
    def a_notification_gets_lost(self, data: st.DataObject) -> None:
        """Any that is still to come."""
        undelivered = self._world.undelivered
        self._story.notification_is_lost(*data.draw(st.sampled_from(undelivered)))

    @precondition(lambda self: self._world.parcels)
    @rule(data=st.data())
    def a_late_request_arrives(self, data: st.DataObject) -> None:
        """One that was presumed lost."""
        orders = [parcel.order for parcel in self._world.parcels]
        self._story.late_request_arrives(data.draw(st.sampled_from(orders)))

    # ── what time and care do ───────────────────────────────────────────────────────

    @rule(units=st.sampled_from(_TIMES))
    def time_passes(self, units: Mapping[str, int]) -> None:
        """Seconds mostly, and now and then the 30 days of an authorization."""
        self._story.time_passes(**units)

    @precondition(lambda self: self._story.transactions())
    @rule()
    def it_recovers(self) -> None:
        """The order system's own recovery works."""
        self._story.recover()

    @precondition(lambda self: self._story.transactions() and self._writes())
    @rule(data=st.data())
    def its_recovery_suffers(self, data: st.DataObject) -> None:
        """The store fails, or the process dies, as it writes what it has found out."""
        fault = data.draw(st.sampled_from(self._writes()), label="fault")
        self._story.recover(fault=str(fault), moment="intent")

    # ── how it is drawn ─────────────────────────────────────────────────────────────

    @property
    def _world(self) -> World:
        return self._story.world

    def _has(self, fault: Fault) -> bool:
        return fault in self.faults

    def _free_orders(self) -> list[str]:
        """Order ids that may still be used; those of charges if they can be made."""
        taken = {transaction.id for transaction in self._story.transactions()}
        return [
            order
            for machine in self._story.engine.machines
            if self._agreements(machine) != []
            for order in (f"{machine.name}-{n}" for n in range(1, ORDERS + 1))
            if order not in taken
        ]

    def _agreements(self, machine: Machine) -> list[Transaction] | None:
        """The agreements that a charge could be made under; None if it needs none."""
        needed = opening_of(machine).spec.agreement
        if needed is None:
            return None
        return [
            transaction
            for transaction in self._story.transactions()
            if transaction.lifecycle == needed.lifecycle
            and is_in_force(needed, transaction)
        ]

    def _place(self, data: st.DataObject) -> str:
        order = data.draw(st.sampled_from(self._free_orders()), label="order")
        machine = self._story.machines[order.rpartition("-")[0]]
        agreement = None
        if agreements := {found.id: found for found in self._agreements(machine) or ()}:
            name = data.draw(st.sampled_from(sorted(agreements)), label="agreement")
            agreement = agreements[name]
        now = self._world.now
        case = CommandCase(machine, Transaction(order), now, agreement)
        found = ways(case, opening_of(machine).spec.name)
        if found:
            self._ask(self._draw_command(data, case, found, _few), {})
        return order

    def _want(
        self,
        data: st.DataObject,
        named: dict[str, Any],
        amounts: Callable[[Bounds], st.SearchStrategy[int]] | None = None,
    ) -> None:
        open_ways = self._open_ways()
        name = data.draw(st.sampled_from(_weighed(open_ways)), label="command")
        cases = {c.transaction.id: c for c, way in open_ways if way.name == name}
        case = cases[data.draw(st.sampled_from(sorted(cases)), label="order")]
        found = ways(case, name)
        self._ask(self._draw_command(data, case, found, amounts or _few), named)

    def _open_ways(self) -> list[tuple[CommandCase, CommandVariant]]:
        """Every command on every order that the engine would carry out now."""
        return [
            (case, way)
            for case in map(self._case, self._story.transactions())
            for name in possible_names(case.machine, case.transaction)
            for way in ways(case, name)
        ]

    def _case(self, transaction: Transaction) -> CommandCase:
        machine = self._story.machines[transaction.lifecycle]
        agreement = None
        if transaction.agreement is not None:
            agreement = self._world.transaction(transaction.agreement)
        return case_of(machine, transaction, self._world.now, agreement)

    def _draw_command(
        self,
        data: st.DataObject,
        case: CommandCase,
        some: Sequence[CommandVariant],
        amounts: Callable[[Bounds], st.SearchStrategy[int]],
    ) -> Command:
        way = some[data.draw(st.integers(0, len(some) - 1), label="flags")]
        rule = case.machine.commands[way.name]
        given = plainest(case.machine, rule, way.flags)
        # First what makes the shorter story: a failure is cut down to it.
        if data.draw(st.sampled_from([False, True, True, True]), label="notifications"):
            given |= _notification_urls(rule.spec)
        more: dict[str, Any] = {"currency": way.currency, "parameters": given}
        if way.bounds is not None:
            more["amount"] = data.draw(amounts(way.bounds), label="amount")
        return case.command(way.name, key=self._next_key(), **more)

    def _ask(self, command: Command, named: dict[str, Any]) -> None:
        fields = ("lifecycle", "agreement", "currency", "parameters")
        more = {name: value for name in fields if (value := getattr(command, name))}
        self._story.ask(
            command.name,
            command.transaction,
            command.amount,
            key=command.key,
            **more,
            **named,
        )

    def _next_key(self) -> str:
        return f"wish-{len(self._story.wanted) + 1}"

    def _draw_wish(self, data: st.DataObject) -> Command:
        """One of the last few wishes."""
        key = data.draw(st.sampled_from(list(self._story.wanted)[-5:]), label="wish")
        return self._story.wanted[key][0]

    def _draw_order(self, data: st.DataObject) -> str:
        orders = [transaction.id for transaction in self._story.transactions()]
        return data.draw(st.sampled_from(orders), label="order")

    def _notified(self) -> list[tuple[str, int]]:
        notifications = self._world.notifications.items()
        return [(order, n) for order, some in notifications for n in range(len(some))]

    def _faults(self) -> list[Fault]:
        return [fault for fault in Fault if fault in IN_A_CALL and self._has(fault)]

    def _writes(self) -> list[Fault]:
        return [fault for fault in self._faults() if fault not in ON_THE_WIRE]

    def _draw_fault(self, data: st.DataObject) -> dict[str, Any]:
        fault = data.draw(st.sampled_from(self._faults()), label="fault")
        named = {"fault": str(fault)}
        if fault in DEATHS:
            named["moment"] = data.draw(st.sampled_from(MOMENTS), label="moment")
        elif fault in IN_THE_STORE:
            named["moment"] = data.draw(st.sampled_from(["intent", "outcome"]))
        elif fault is Fault.BAD_REPLY:
            bad = self._world.gateway.bad_replies()
            named["detail"] = data.draw(st.sampled_from(list(bad)), label="detail")
        return named


def _weighed(open_ways: Sequence[tuple[CommandCase, CommandVariant]]) -> list[str]:
    """The names of commands, those more often that move an amount; reads hardly.

    By name: what is possible nearly always shall not crowd out the rest.
    """
    weights: dict[str, int] = {}
    for case, way in open_ways:
        spec = case.machine.commands[way.name].spec
        weights[way.name] = 1 if spec.reads else 5 if spec.reserve else 2
    return [name for name, weight in sorted(weights.items()) for _ in range(weight)]


def _notification_urls(spec: CommandSpec) -> dict[str, str]:
    """Where the gateway is to send notifications."""
    return {
        name: SHOP + "notification"
        for name in spec.optional
        if name.endswith("notification_url")
    }


def _few(bounds: Bounds) -> st.SearchStrategy[int]:
    """Amounts as people read them: round, small, and often the same."""
    low, high = bounds.minimum, min(bounds.maximum, max(_MOST, bounds.minimum))
    some = {low, high, (low + high) // 2, min(high, low + 99), min(high, low + 59)}
    return st.sampled_from(sorted(some, reverse=True))
