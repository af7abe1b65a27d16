"""Short scenes, each about a moment that chance alone plays too seldom.

Owns what is tried around the in-flight limit, after a resend, between two operations
that look alike, under a lease that has run out, and at a deadline. A scene begins with a
command that is asked for. It looks at the world before each of its moves, and the moves
stand in the story like all others.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import attrs

from kessai.flow import Append, Missing, Send
from kessai.limits import LEASE
from kessai.machine import Operation
from kessai.machine.compile import CompiledCommand
from kessai.machine.decide import amount_bounds
from kessai.simulator.faults import Fault
from kessai.simulator.moves import (
    Arrive,
    Ask,
    Deliver,
    InPortal,
    Pass,
    Recover,
    Sweep,
    TaskStep,
    WorldMove,
)
from kessai.simulator.randomness import Randomness
from kessai.simulator.tasks import Task
from kessai.simulator.world import RESET, World

Scene = Iterator[WorldMove]

MOST_STEPS = 60
"""More than any flow takes, unless others change the order all the time."""

_SECOND = timedelta(seconds=1)
_BEYOND_LEASE = LEASE + 60 * _SECOND
_WITHIN_TRANSIT = (1, 5, 60, 140)
_BEFORE_THE_LIMIT = (0, 1, 40, 50, 55)
_SOON = (75, 100, 145)
_NO_ANSWER = (Fault.LOST_REQUEST, Fault.LOST_REPLY)
_SCENE = 0.13
_SPECIAL = 0.25
_IN_PORTAL = frozenset({"capture", "refund"})
_POLICIES = (Missing.DECLINE, Missing.RESEND, Missing.KEEP)


@attrs.frozen
class _Fates:
    """What becomes of the requests of two operations that look alike.

    The second may be asked for just before the first is past its in-flight limit, when
    all notifications have come, or have its reply kept until somebody has looked.
    """

    first: Fault | None
    second: Fault | None
    is_kept: bool = False
    is_notified: bool = False
    is_just_before_the_limit: bool = False


_TWINS = (
    _Fates(Fault.LOST_REQUEST, Fault.LOST_REPLY),
    _Fates(Fault.LOST_REQUEST, None, is_kept=True),
    _Fates(Fault.LOST_REPLY, Fault.SLOW_REQUEST, is_just_before_the_limit=True),
    _Fates(None, Fault.LOST_REQUEST, is_notified=True),
    _Fates(Fault.LOST_REPLY, Fault.LOST_REQUEST),
)


class Scenes:
    """Draws scenes for one world; `faults` that may not be injected make none."""

    def __init__(self, world: World, randomness: Randomness) -> None:
        self._world = world
        self._randomness = randomness
        self._rng = randomness.rng
        self._limit = world.recovery.in_flight_limit
        self._scenes: dict[Callable[[Ask], Scene], frozenset[Fault]] = {
            self._at_the_limit: frozenset({Fault.SLOW_REQUEST}),
            self._slept_over: frozenset({Fault.SLOW_REQUEST, Fault.STALE_LEASE}),
            self._after_a_resend: frozenset({Fault.LOST_REQUEST, Fault.SLOW_REQUEST}),
            self._stale_lease: frozenset({Fault.STALE_LEASE, *_NO_ANSWER}),
            self._deadline: frozenset({Fault.LOST_REQUEST}),
            self._portal: frozenset({Fault.PORTAL, Fault.LOST_REQUEST}),
        }

    def begin(self, asked: Ask) -> Scene | None:
        """A scene that begins with `asked`, now and then; a read has none."""
        name = asked.command.name
        if name in self._world.reads:
            return None
        half = self._half(asked)
        if half and self._randomness.happens(_SPECIAL):
            return self._twins(_of(asked, half))
        if self._is_replaced(asked) and self._randomness.happens(_SPECIAL):
            return self._overtaken(asked)
        if not self._randomness.happens(_SCENE):
            return None
        possible = [
            scene
            for scene, needed in self._scenes.items()
            if {Fault.CLOCK_JUMP, *needed} <= self._randomness.faults
        ]
        return self._rng.choice(possible)(asked) if possible else None

    def _half(self, asked: Ask) -> int:
        """An amount that can be asked for twice at once; 0 if the command cannot be."""
        rule = self._rule(asked)
        needed = {Fault.TWO_WORKERS, Fault.CLOCK_JUMP, Fault.SLOW_REQUEST, *_NO_ANSWER}
        if rule is None or rule.spec.name not in rule.spec.alongside:
            return 0
        if not needed <= self._randomness.faults:
            return 0
        transaction = self._world.transaction(asked.order)
        bounds = amount_bounds(rule, transaction.names(None), transaction.currency)
        return 0 if bounds is None else max(0, bounds.maximum // 2)

    def _is_replaced(self, asked: Ask) -> bool:
        """Whether the amount of its command replaces the one before."""
        rule = self._rule(asked)
        needed = {Fault.LATE_REQUEST, Fault.CLOCK_JUMP}
        is_possible = needed <= self._randomness.faults
        return is_possible and rule is not None and rule.sets_amount

    def _rule(self, asked: Ask) -> CompiledCommand | None:
        machine = self._world.machine(asked.order)
        return None if machine is None else machine.commands.get(asked.command.name)

    # ── scenes ──────────────────────────────────────────────────────────────────────

    def _at_the_limit(self, asked: Ask) -> Scene:
        """A request goes out at the last moment, and somebody looks before it arrives."""
        asked = attrs.evolve(asked, skew=self._skew(-1))
        yield asked
        yield from self._until_sends(asked.task)
        yield from self._sends_at_the_last_moment(asked.task)
        looker = self._recoverer(asked.order, self._missing(), self._skew(1))
        operation = self._sent(asked)
        if operation is None:
            return
        if self._randomness.happens(0.7):
            yield from self._just_before_the_limit(operation, looker)
        else:
            yield self._passes(self._rng.choice(_SOON))
        yield looker
        yield from self._to_its_end(looker.task)

    def _slept_over(self, asked: Ask) -> Scene:
        """A recoverer inquires after what is under way, and sleeps over the answer."""
        yield from self._suffers(asked, Fault.SLOW_REQUEST, RESET)
        sleeper = self._recoverer(asked.order, Missing.DECLINE, 0)
        yield sleeper
        yield from self._steps(sleeper.task, lambda task: isinstance(task.effect, Send))
        yield TaskStep(sleeper.task, hold=True)
        yield Pass(self._limit_seconds + 1, Fault.STALE_LEASE)
        yield from self._to_its_end(sleeper.task)

    def _after_a_resend(self, asked: Ask) -> Scene:
        """The second request is under way, and others look at the order."""
        yield asked
        yield from self._until_sends(asked.task)
        if self._randomness.happens(0.7):
            yield TaskStep(asked.task, Fault.LOST_REQUEST)
            yield from self._to_its_end(asked.task)  # else it sleeps before it sends
        sender = self._recoverer(asked.order, Missing.RESEND, self._skew(-1))
        operation = self._sent(asked)
        if operation is None:
            return
        yield from self._until(operation.sent_at + self._limit, sender)
        yield sender
        yield from self._until_sends(sender.task)
        if self._randomness.happens(0.5):
            yield from self._sends_at_the_last_moment(sender.task)
        else:
            yield TaskStep(sender.task, Fault.SLOW_REQUEST, detail=self._reset())
        resent, skew = self._sent(asked), self._skew(1)
        if resent is not None and self._randomness.happens(0.4):
            looker = self._recoverer(asked.order, self._missing(), skew)
            yield from self._just_before_the_limit(resent, looker)
        else:
            looker = self._recoverer(asked.order, self._missing(), sender.skew)
            yield self._passes(self._rng.choice(_WITHIN_TRANSIT))
        yield looker
        for task in (asked.task, looker.task, sender.task):
            yield from self._to_its_end(task)

    def _twins(self, asked: Ask) -> Scene:
        """Two operations that look alike, of which a list may show only one."""
        fates = self._rng.choice(_TWINS)
        twin = attrs.evolve(
            asked,
            task=self._randomness.number(),
            command=attrs.evolve(asked.command, key=f"{asked.command.key}-twin"),
            fault=Fault.TWO_WORKERS,
        )
        yield from self._suffers(asked, fates.first)
        decisive = self._sent(asked)
        if fates.is_just_before_the_limit:
            yield self._passes(self._limit_seconds - 100)
        yield twin
        yield from self._until_sends(twin.task)
        if fates.is_notified:
            yield from self._notified(asked.order)
        if not fates.is_just_before_the_limit:
            decisive = self._sent(twin) or decisive
        detail = RESET if fates.second is Fault.SLOW_REQUEST else ""
        yield TaskStep(twin.task, fates.second, fates.is_kept, detail)
        if not fates.is_kept:
            yield from self._to_its_end(twin.task)
        looker = self._recoverer(asked.order, self._rng.choice(_POLICIES), 0)
        if decisive is not None:
            yield from self._until(decisive.sent_at + self._limit, looker)
        yield looker
        yield from self._to_its_end(looker.task)
        yield from self._to_its_end(twin.task)

    def _overtaken(self, asked: Ask) -> Scene:
        """What was presumed lost arrives before the next one, which sets another amount."""
        yield from self._suffers(asked, Fault.LATE_REQUEST)
        yield self._passes(self._limit_seconds + 1)
        yield from self._looks(asked.order)
        yield Arrive(asked.task)
        least = max(1, (asked.command.amount or 2) - 1)
        after = attrs.evolve(_of(asked, least, "-next"), task=self._randomness.number())
        yield after
        yield from self._to_its_end(after.task)
        yield from self._looks(asked.order)

    def _stale_lease(self, asked: Ask) -> Scene:
        """A recoverer sleeps before it writes, and another has its lease by then."""
        yield asked
        yield from self._until_sends(asked.task)
        yield TaskStep(asked.task, self._rng.choice(_NO_ANSWER))
        yield from self._to_its_end(asked.task)
        yield Pass(self._limit_seconds + 1)
        sleeper = self._recoverer("", self._missing(), 0)
        yield sleeper
        for _ in range(self._rng.randint(0, 3)):
            yield from self._until_writes(sleeper.task)
            yield TaskStep(sleeper.task)
        yield from self._until_writes(sleeper.task)
        yield Pass(round(_BEYOND_LEASE.total_seconds()), Fault.STALE_LEASE)
        other = self._recoverer("", self._missing(), 0)
        yield other
        yield TaskStep(other.task)
        for _ in range(self._rng.randint(0, 12)):
            yield TaskStep(other.task)
        yield from self._to_its_end(sleeper.task)
        yield from self._to_its_end(other.task)

    def _deadline(self, asked: Ask) -> Scene:
        """A deadline passes while an operation has no answer, and a sweeper comes by."""
        deadlines = self._world.transaction(asked.order).deadlines.values()
        yield from self._suffers(asked, Fault.LOST_REQUEST)
        if not deadlines or not self._randomness.happens(0.3):
            return
        sweeper = Sweep(self._randomness.number(), asked.order)
        yield from self._until(max(deadlines) + _SECOND, sweeper)
        yield sweeper
        yield from self._to_its_end(sweeper.task)

    def _portal(self, asked: Ask) -> Scene:
        """Someone does less of the same in the portal, and the engine asks what it did."""
        yield from self._suffers(asked, Fault.LOST_REQUEST)
        amount = asked.command.amount
        if asked.command.name not in _IN_PORTAL or amount is None:
            return
        yield InPortal(asked.order, asked.command.name, max(1, amount // 2))
        yield self._passes(self._rng.choice(_SOON))
        yield from self._looks(asked.order, self._missing())

    # ── parts of scenes ─────────────────────────────────────────────────────────────

    def _suffers(self, asked: Ask, fault: Fault | None, detail: str = "") -> Scene:
        """A command is asked for, its request suffers `fault`, and its task ends."""
        yield asked
        yield from self._until_sends(asked.task)
        yield TaskStep(asked.task, fault, detail=detail)
        yield from self._to_its_end(asked.task)

    def _until_sends(self, number: int) -> Scene:
        """The task goes on until it is about to send a request that changes something."""
        yield from self._steps(number, _is_sending)

    def _until_writes(self, number: int) -> Scene:
        yield from self._steps(number, lambda task: isinstance(task.effect, Append))

    def _to_its_end(self, number: int) -> Scene:
        yield from self._steps(number, lambda _: False)

    def _steps(self, number: int, is_there: Callable[[Task], bool]) -> Scene:
        for _ in range(MOST_STEPS):
            task = self._world.tasks.get(number)
            if task is None or task.is_waiting or is_there(task):
                return
            yield TaskStep(number)

    def _sends_at_the_last_moment(self, number: int) -> Scene:
        """As late as its intent allows, and on the way for as long as networks take."""
        task = self._world.tasks.get(number)
        if task is None or not isinstance(task.effect, Send):
            return
        until = task.effect.until
        if until is not None and self._randomness.happens(0.85):
            left = until - (self._world.now + task.skew)
            yield from self._waits(left)
        yield TaskStep(number, Fault.SLOW_REQUEST, detail=RESET)

    def _notified(self, order: str) -> Scene:
        """All that the gateway has sent about the order so far is delivered."""
        for number in range(len(self._world.notifications.get(order, ()))):
            receiver = Deliver(self._randomness.number(), order, number)
            yield receiver
            yield from self._to_its_end(receiver.task)

    def _looks(self, order: str, missing: Missing = Missing.DECLINE) -> Scene:
        looker = self._recoverer(order, missing, 0)
        yield looker
        yield from self._to_its_end(looker.task)

    def _recoverer(self, order: str, missing: Missing, skew: int) -> Recover:
        return Recover(self._randomness.number(), missing, skew, order)

    def _sent(self, asked: Ask) -> Operation | None:
        """The operation of a command, while it is open."""
        opened = self._world.transaction(asked.order).operations.values()
        return next((o for o in opened if o.key == asked.command.key), None)

    def _just_before_the_limit(self, operation: Operation, who: Recover) -> Scene:
        """Time passes until nearly all of the in-flight limit is over, or exactly all."""
        early = timedelta(seconds=self._rng.choice(_BEFORE_THE_LIMIT))
        yield from self._until(operation.sent_at + self._limit - early, who)

    def _until(self, moment: datetime, who: Recover | Sweep) -> Scene:
        """Time passes until it is `moment` by the clock of `who`."""
        skew = timedelta(seconds=who.skew)
        yield from self._waits(moment - (self._world.now + skew))

    def _waits(self, wait: timedelta) -> Scene:
        if wait >= _SECOND:
            yield self._passes(round(wait.total_seconds()))

    def _passes(self, seconds: int) -> Pass:
        return Pass(seconds, Fault.CLOCK_JUMP)

    @property
    def _limit_seconds(self) -> int:
        return round(self._limit.total_seconds())

    def _missing(self) -> Missing:
        return self._rng.choice((Missing.DECLINE, Missing.DECLINE, Missing.RESEND))

    def _reset(self) -> str:
        return RESET if self._randomness.happens(0.5) else ""

    def _skew(self, sign: int) -> int:
        """A clock that is as wrong as clocks may be, or right."""
        is_wrong = self._randomness.injects(Fault.SKEWED_CLOCK, 0.85)
        return sign * self._randomness.furthest if is_wrong else 0


def _of(asked: Ask, amount: int, more: str = "") -> Ask:
    """The same, of another amount; `more` makes it another key."""
    key = asked.command.key + more
    return attrs.evolve(
        asked, command=attrs.evolve(asked.command, amount=amount, key=key)
    )


def _is_sending(task: Task) -> bool:
    effect = task.effect
    return isinstance(effect, Send) and effect.until is not None and task.reply is None
