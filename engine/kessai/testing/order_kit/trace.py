"""A story: what an order system is put through, move by move, written down meanwhile.

    with ShopTest.story() as story:
        story.ask("authorize", "order-1", 100, key="1", lifecycle="one_time")
        story.consumer("order-1", "approve")
        story.notification("order-1", 0)
        story.ask("refund", "order-1", 60, key="2", fault="lost_reply")

Each move is a line that does the same again; leaving the block resolves everything and
compares the books. A move about something that is not there has no effect.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import attrs

from kessai.errors import InvalidInput, KessaiError
from kessai.machine import Command, Machine, Transaction
from kessai.simulator import Fault, World
from kessai.simulator.faults import IN_THE_STORE
from kessai.simulator.moves import (
    Arrive,
    Consume,
    Finish,
    InPortal,
    LoseNotification,
    Pass,
    TakeBack,
)
from kessai.testing.order_kit.checks import Checks
from kessai.testing.order_kit.drain import StoryEnd
from kessai.testing.order_kit.hooks import Hooks
from kessai.testing.order_kit.paste import MoveLine, as_test
from kessai.testing.order_kit.stage import (
    IN_A_CALL,
    MOMENTS,
    Died,
    FaultInjection,
    StagedEngine,
    stage_of,
)
from kessai.testing.strategies.lifecycles import lifecycle_of


class Story:
    """One world, one engine, one order system, and everything that happens to them.

    Raises:
        AdapterMissing: no such emulator is installed.
        InvalidInput: one of the lifecycles is none, or its file has mistakes.

    """

    def __init__(self, hooks: Hooks) -> None:
        lifecycles = [lifecycle_of(named) for named in hooks.lifecycles]
        stage = stage_of(lifecycles, hooks.emulator, **hooks.emulator_options)
        self.world = World(stage)
        self.engine = StagedEngine(self.world, lifecycles)
        self.lines: list[MoveLine] = []
        self.wanted: dict[str, list[Command]] = {}
        self.failed = False
        self._hooks = hooks
        self._system = hooks.open(self.engine)
        self._checks = Checks(self.world, self.wanted, hooks, self._system)

    # ── what is asked for ───────────────────────────────────────────────────────────

    def ask(
        self,
        name: str,
        order: str,
        amount: int | None = None,
        *,
        key: str,
        fault: str = "",
        moment: str = "",
        detail: str = "",
        overtaken: bool = False,
        **more: Any,
    ) -> None:
        """Somebody wants a command carried out; the order system is to see to it.

        `more` may hold `lifecycle`, `agreement` and `parameters`. `fault` is one of the
        simulator's, `moment` where it is injected: `intent`, `call` or `outcome`. With
        `overtaken` the notifications are delivered before the reply is read.
        """
        command = Command(name, order, key=key, amount=amount, **more)
        self.wanted.setdefault(key, []).append(command)
        suffered = {"fault": fault, "moment": moment, "detail": detail}
        named = {"key": key, **more, "overtaken": overtaken or ""}
        with self._move("ask", name, order, amount, **named, **suffered):
            self.engine.meanwhile = self._deliver_all if overtaken else None
            self._through(lambda: self._hooks.ask(self._system, command))

    # ── what the gateway and its consumer do ────────────────────────────────────────

    def consumer(self, order: str, act: str) -> None:
        """The consumer acts: `log_in`, `approve`, `decline`, `refuse_card`."""
        with self._move("consumer", order, act):
            self.world.play(Consume(order, act))

    def consumer_returns(self, order: str) -> None:
        """The consumer comes back from the gateway's page, with what it was given there."""
        with self._move("consumer_returns", order):
            brought = self.world.gateway.brought(order)
            if brought:
                self._through(lambda: self._hooks.resume(self._system, order, brought))

    def taken_back(self, order: str) -> None:
        """The gateway takes back the last success of an order that can be taken back."""
        with self._move("taken_back", order):
            self.world.play(TakeBack(order))

    def pending_ends(self, order: str, *, good: bool) -> None:
        """What is pending of an order at the gateway succeeds or fails."""
        with self._move("pending_ends", order, good=good):
            self.world.play(Finish(order, good))

    def portal(self, order: str, act: str, amount: int | None = None) -> None:
        """Somebody acts in the gateway's portal: `capture`, `cancel`, `refund`, ….

        The order system is notified of it, if at all.
        """
        with self._move("portal", order, act, amount):
            self.world.play(InPortal(order, act, amount))

    def notification(self, order: str, number: int, *, fault: str = "") -> None:
        """The order's notification of that number is delivered: late, or again."""
        with self._move("notification", order, number, fault=fault):
            self._deliver(order, number)

    def notification_is_lost(self, order: str, number: int) -> None:
        """The order's notification of that number never comes."""
        with self._move("notification_is_lost", order, number):
            self.world.play(LoseNotification(order, number))

    def late_request_arrives(self, order: str) -> None:
        """A request that was presumed lost arrives after all."""
        with self._move("late_request_arrives", order):
            for parcel in [p for p in self.world.parcels if p.order == order][:1]:
                self.world.play(Arrive(parcel.task))

    # ── what time and the order system's own care do ────────────────────────────────

    def time_passes(self, **units: float) -> None:
        """Time passes: `minutes=11`, `days=30`, whatever a `timedelta` takes."""
        with self._move("time_passes", **units):
            self.world.play(Pass(int(timedelta(**units).total_seconds())))

    def recover(self, *, fault: str = "", moment: str = "") -> None:
        """The order system recovers what has no answer, as it does now and then."""
        with self._move("recover", fault=fault, moment=moment):
            self._through(lambda: self._hooks.recover(self._system))

    # ── what is there ───────────────────────────────────────────────────────────────

    @property
    def machines(self) -> Mapping[str, Machine]:
        """The machines of the lifecycles, by name."""
        return {machine.name: machine for machine in self.engine.machines}

    def transactions(self) -> list[Transaction]:
        """Every transaction of the engine's that came to be."""
        return self.world.transactions()

    def as_python(self, found: str = "") -> str:
        """The story so far as a test that can be pasted; `found` becomes a comment."""
        return as_test(type(self._hooks), self.lines, found)

    # ── the end ─────────────────────────────────────────────────────────────────────

    def resolve(self) -> None:
        """Let everything come to its end, and compare all books.

        Raises:
            Violation: a promise of the engine's own was broken.
            AssertionError: the order system has something otherwise than it is.

        """
        with self._with_its_story():
            self.engine.injection = self.engine.meanwhile = None
            resolving = StoryEnd(self.world, self._deliver, self._catch_up)
            resolving.resolve()
            resolving.compare()
            self._catch_up()  # what the inquiries of the comparison have found
            resolving.audit()
            self._checks.after_each_move()
            self._checks.at_the_end()

    def close(self) -> None:
        """Let go of the order system and the world."""
        self._hooks.close(self._system)
        self.world.close()

    # ── how moves are made ──────────────────────────────────────────────────────────

    @contextmanager
    def _move(self, name: str, *given: Any, **named: Any) -> Iterator[None]:
        """Write the move down, make it, and check what must hold after each.

        What is None or empty was not given.
        """
        named = {one: value for one, value in named.items() if value != ""}
        line = MoveLine(name, [value for value in given if value is not None], named)
        self.lines.append(line)
        self.engine.answers.clear()
        with self._with_its_story():
            if "fault" in named:
                self._inject(named["fault"], named.get("moment"), named.get("detail"))
            yield
            self.engine.injection = self.engine.meanwhile = None
            if self.engine.found is not None:  # swallowed by the order system
                raise self.engine.found
            self._checks.after_each_move()
        came_of_it = ", ".join(self.engine.answers)
        self.lines[-1] = attrs.evolve(line, came_of_it=came_of_it)

    @contextmanager
    def _with_its_story(self) -> Iterator[None]:
        """An error carries the story that leads to it."""
        try:
            yield
        except Exception as error:
            if not self.failed:
                self.failed = True
                error.add_note(f"\n{self.as_python(str(error))}")
            raise

    def _inject(self, fault: str, moment: str | None, detail: str | None) -> None:
        kind = Fault(fault)
        if kind not in IN_A_CALL:
            message = f"fault: {fault!r} cannot be injected into a call"
            raise InvalidInput(message)
        moment = moment or ("intent" if kind in IN_THE_STORE else "call")
        if moment not in MOMENTS:
            message = f"moment: {moment!r} is none of {', '.join(MOMENTS)}"
            raise InvalidInput(message)
        self.engine.injection = FaultInjection(kind, moment, detail or "")

    def _through(self, act: Callable[[], None]) -> bool:
        """Let the order system act; whether it came to its end.

        It may die meanwhile, or raise one of kessai's errors.
        """
        try:
            act()
        except Died:
            self.engine.answers.append("the process died")
            self._hooks.restart(self._system)
        except KessaiError as error:
            self.engine.answers.append(type(error).__name__)
        else:
            return True
        return False

    def _catch_up(self) -> None:
        self._through(lambda: self._hooks.recover(self._system))

    def _deliver(self, order: str, number: int) -> None:
        notices = self.world.notifications.get(order, [])
        if number >= len(notices):
            return
        notice, mark = notices[number], (order, number)
        is_taken = self._through(
            lambda: self._hooks.notification(self._system, notice.headers, notice.body)
        )
        if is_taken and mark in self.world.undelivered:
            self.world.undelivered.remove(mark)

    def _deliver_all(self) -> None:
        self.world.collect()
        for order, number in tuple(self.world.undelivered):
            self._deliver(order, number)
