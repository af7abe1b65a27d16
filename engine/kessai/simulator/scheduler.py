"""What happens next, drawn from a seed: who comes, who moves, what goes wrong.

Owns all randomness of a world. It looks at the world to choose something that makes
sense, and never touches it.
"""

from collections import deque
from collections.abc import Callable, Iterable
from datetime import timedelta

from kessai.flow import Append, Claim, Missing, Release, Send
from kessai.limits import LEASE, MARGIN, SEND_WITHIN
from kessai.simulator.faults import DEATHS, IN_THE_STORE, ON_THE_WIRE, Fault
from kessai.simulator.moves import (
    Arrive,
    Ask,
    ComeBack,
    Consume,
    Deliver,
    Finish,
    InPortal,
    LoseNotification,
    Pass,
    Recover,
    Sweep,
    TakeBack,
    TaskStep,
    WorldMove,
)
from kessai.simulator.randomness import Randomness
from kessai.simulator.restoring import Restoring
from kessai.simulator.scenes import Scene, Scenes
from kessai.simulator.selling import Selling
from kessai.simulator.tasks import Role, Task
from kessai.simulator.wire import TRANSIT
from kessai.simulator.workload import Workload
from kessai.simulator.world import RESET, World

WORKERS = 4
HOUR = 3600
_BEYOND_LEASE = round(LEASE.total_seconds()) + 60
_LEAST_WRONG = 60
_ACTS = ("approve", "approve", "approve", "approve", "decline", "refuse_card")
_PORTAL = ("capture", "cancel", "refund", "refund", "terminate", "expire")
_STORE_FAILS = 0.05
_READING_FAILS = 0.008
_DAYS_PASS = 0.02
_NOTIFIED_AGAIN = 0.2
_NOTIFICATION_GETS_LOST = 0.9
_POLICIES = (Missing.DECLINE, Missing.DECLINE, Missing.KEEP, Missing.RESEND)


class Scheduler:
    """Chooses the moves of one world until it has asked for all its commands."""

    def __init__(
        self, seed: int, world: World, faults: Iterable[Fault], commands: int
    ) -> None:
        limit = world.recovery.in_flight_limit
        self._randomness = Randomness(seed, faults, _furthest(limit))
        self._rng = self._randomness.rng
        self._faults = self._randomness.faults
        self._world = world
        self._wire = [f for f in ON_THE_WIRE if f in self._faults]
        self._store = [f for f in IN_THE_STORE if f in self._faults]
        self._commands = commands
        self._queue: deque[WorldMove] = deque()
        self._workload = Workload(world, self._randomness, self._queue)
        self._beyond_in_flight_limit = round(limit.total_seconds()) + 1
        self._accounts = world.gateway.accounts
        self._scenes = Scenes(world, self._randomness)
        self._restoring = Restoring(world, self._randomness, self._workload, commands)
        self._selling = Selling(world, self._randomness)
        self._scene: Scene = iter(())

    def next(self) -> WorldMove | None:
        """The next move; None when all was asked and everybody has gone."""
        move = self._what_follows()
        if move is not None:
            return move
        tasks = self._world.tasks
        if tasks and self._randomness.happens(0.83):  # most moves are steps
            return self._step(self._rng.choice(list(tasks.values())))
        while tasks or len(self._workload.asked) < self._commands:
            move = self._something() if self._randomness.happens(0.5) else None
            if move is None and len(self._workload.asked) < self._commands:
                move = self._ask() if len(tasks) < WORKERS else None
            if move is None and tasks:
                move = self._step(self._rng.choice(list(tasks.values())))
            if move is not None:
                return move
        return None

    def _what_follows(self) -> WorldMove | None:
        """What comes right after the last move, or was decided before."""
        if self._queue:
            return self._queue.popleft()
        move = next(self._scene, None)
        if move is None and len(self._world.tasks) < WORKERS:
            move = self._restoring.next() or self._selling.next()
        return move

    def _ask(self) -> WorldMove | None:
        """Somebody asks for a command; now and then a scene begins with it."""
        move = self._workload.ask()
        if isinstance(move, Ask) and (sale := self._selling.begin(move)) is not None:
            return sale
        if isinstance(move, Ask) and not self._queue:
            scene = self._scenes.begin(move)
            if scene is not None:
                self._scene = scene
                return next(scene)
        return move

    # ── a step ──────────────────────────────────────────────────────────────────────

    def _step(self, task: Task) -> WorldMove:
        rng, effect = self._rng, task.effect
        draw = rng.random()
        share = 0.004 if task.role is Role.WORKER else 0.012
        if draw < share:
            return TaskStep(task.number, self._death(task))
        if isinstance(effect, Append | Claim | Release) and draw < _STORE_FAILS:
            return TaskStep(
                task.number, rng.choice(self._store) if self._store else None
            )
        if draw < _READING_FAILS:
            busy = self._randomness.injects(Fault.STORE_BUSY, 1) and not isinstance(
                effect, Send
            )
            return TaskStep(task.number, Fault.STORE_BUSY if busy else None)
        if isinstance(effect, Send):
            return self._send(task)
        return TaskStep(task.number)

    def _death(self, task: Task) -> Fault | None:
        deaths: tuple[Fault, ...] = DEATHS
        if task.role in {Role.RECOVERER, Role.SWEEPER}:
            deaths = (Fault.INTERRUPTED_RECOVERY, *DEATHS)
        found = [fault for fault in deaths if fault in self._faults]
        return self._rng.choice(found) if found else None

    def _send(self, task: Task) -> TaskStep:
        rng = self._rng
        slip = None if task.reply is not None else self._randomness.slip()
        if slip is not None:
            return TaskStep(task.number, Fault.ADAPTER_SLIPS, detail=slip)
        hold = self._randomness.happens(0.4)  # others act before the reply is read
        if (
            task.reply is not None
            or not self._wire
            or not self._randomness.happens(0.22)
        ):
            return TaskStep(task.number, hold=hold)
        fault = rng.choice(self._wire)
        is_refund = task.command is not None and task.command.name == "refund"
        if fault is Fault.FAILED_REFUND and not is_refund:
            fault = rng.choice(self._wire)
            if fault is Fault.FAILED_REFUND:
                return TaskStep(task.number, hold=hold)
        elif is_refund and self._randomness.injects(Fault.FAILED_REFUND, 0.3):
            fault = Fault.FAILED_REFUND
        detail = ""
        if fault is Fault.SLOW_REQUEST and hold:
            detail = RESET
        if fault is Fault.BAD_REPLY:
            detail = rng.choice(self._world.gateway.bad_replies())
        return TaskStep(task.number, fault, hold, detail)

    # ── what happens besides ────────────────────────────────────────────────────────

    def _something(self) -> WorldMove | None:
        act: Callable[[], WorldMove | None] = self._rng.choice(
            (
                *[self._time] * 2,
                *[self._notification] * 3,
                *[self._consumer] * 3,
                *(self._recovery, self._arrival, self._end_of_pending),
                *(self._portal, self._sweep),
                *[self._stale_lease] * 2,
            )
        )
        return act()

    def _time(self) -> WorldMove:
        draw = self._rng.random()
        if self._world.tasks:
            if self._randomness.injects(Fault.CLOCK_JUMP, 0.06):
                seconds = self._rng.choice((61, 200, 700, HOUR, 24 * HOUR))
                return Pass(seconds, Fault.CLOCK_JUMP)
            return Pass(self._rng.randint(1, 5))
        if draw < _DAYS_PASS:
            return Pass(24 * HOUR * self._rng.randint(1, 31))
        return Pass(self._rng.choice((1, 30, 200, 700, HOUR)))

    def _notification(self) -> WorldMove | None:
        waiting = self._world.undelivered
        draw = self._rng.random()
        if draw < _NOTIFIED_AGAIN:
            return self._notification_again()
        if not waiting:
            return None
        order, number = waiting[0]
        fault = None
        if Fault.LOST_NOTIFICATION in self._faults and draw > _NOTIFICATION_GETS_LOST:
            return LoseNotification(order, number)
        if len(waiting) > 1 and self._randomness.injects(
            Fault.REORDERED_NOTIFICATION, 0.3
        ):
            order, number = self._rng.choice(waiting)
            fault = Fault.REORDERED_NOTIFICATION
        elif self._randomness.injects(Fault.FORGED_NOTIFICATION, 0.05):
            fault = Fault.FORGED_NOTIFICATION
        elif (wrong := self._wrong_endpoint(order)) is not None:
            task = self._randomness.number()
            return Deliver(task, order, number, Fault.WRONG_ENDPOINT, wrong)
        return Deliver(self._randomness.number(), order, number, fault)

    def _wrong_endpoint(self, order: str) -> str | None:
        """Now and then, the account at whose endpoint a notification is not expected.

        Of an order that the store has not there is no telling whose it is.
        """
        owner, accounts = self._world.transaction(order).account, self._accounts
        others = [account for account in accounts if owner and account != owner]
        if not others or not self._randomness.injects(Fault.WRONG_ENDPOINT, 0.05):
            return None
        return self._rng.choice(others)

    def _notification_again(self) -> WorldMove | None:
        notifications = self._world.notifications
        if not notifications or Fault.DUPLICATE_NOTIFICATION not in self._faults:
            return None
        # Where something like it is open, a repetition could be taken for that.
        at_work = [
            t.order for t in self._world.tasks.values() if t.order in notifications
        ]
        order = self._rng.choice(at_work or list(notifications)[-12:])
        number = self._rng.randrange(len(notifications[order]))
        return Deliver(
            self._randomness.number(), order, number, Fault.DUPLICATE_NOTIFICATION
        )

    def _consumer(self) -> WorldMove | None:
        waiting, returned = self._world.waiting, self._world.returned
        if returned and self._randomness.happens(0.5):
            order = self._rng.choice(list(returned))
            return ComeBack(self._randomness.number(), order)
        if not waiting:
            return None
        order = self._rng.choice(list(waiting))
        if self._randomness.happens(0.1):  # sometimes they only log in
            return Consume(order, "log_in")
        self._queue.append(Consume(order, self._rng.choice(_ACTS)))
        return Consume(order, "log_in")

    def _recovery(self) -> Recover:
        missing = self._rng.choice(_POLICIES)
        order = ""
        if self._workload.live and self._randomness.happens(0.2):  # one by name
            order = self._rng.choice(self._workload.live).order
        number, skew = self._randomness.number(), self._randomness.skew()
        account = self._randomness.account(self._accounts, 0.3)
        return Recover(number, missing, skew, order, account)

    def _arrival(self) -> WorldMove | None:
        parcels = self._world.parcels
        return Arrive(self._rng.choice(parcels).task) if parcels else None

    def _end_of_pending(self) -> WorldMove | None:
        pending = self._world.pending
        if not pending:
            return self._reversal()
        order = self._rng.choice(list(pending))
        return Finish(order, pending[order])

    def _reversal(self) -> WorldMove | None:
        orders = self._world.gateway.reversible()
        if not orders or not self._randomness.injects(Fault.LATE_REVERSAL, 0.25):
            return None
        taken = TakeBack(self._rng.choice(orders))
        if self._world.tasks:
            return taken
        self._queue.append(taken)
        return Pass(7 * 24 * HOUR * self._rng.randint(1, 4))

    def _portal(self) -> WorldMove | None:
        if not self._workload.live or not self._randomness.injects(Fault.PORTAL, 0.25):
            return None
        act = self._rng.choice(_PORTAL)
        amount = None
        if act in {"capture", "refund"}:
            amount = self._rng.choice((None, 1, 50))
        return InPortal(self._rng.choice(self._workload.live).order, act, amount)

    def _sweep(self) -> WorldMove | None:
        if not self._workload.live or not self._randomness.happens(0.3):
            return None
        order = self._rng.choice(self._workload.live).order
        return Sweep(self._randomness.number(), order, self._randomness.skew())

    def _stale_lease(self) -> WorldMove | None:
        """A recoverer sleeps until its lease is over, and another takes its place."""
        asleep = [t for t in self._world.tasks.values() if t.lease is not None]
        if not asleep or Fault.STALE_LEASE not in self._faults:
            return None
        has_heard = any(task.reply is not None for task in asleep)
        if self._randomness.happens(
            0.7 if has_heard else 0.2
        ):  # nobody takes its place
            return Pass(self._beyond_in_flight_limit, Fault.STALE_LEASE)
        other = self._recovery()
        steps = [TaskStep(other.task) for _ in range(self._rng.randrange(20))]
        self._queue += [other, *steps]
        return Pass(_BEYOND_LEASE, Fault.STALE_LEASE)


def _furthest(in_flight_limit: timedelta) -> int:
    """By how many seconds a clock may be wrong: two differ by twice as much.

    A request may be sent `SEND_WITHIN` after its intent and be under way for `TRANSIT`;
    the rest of the in-flight limit is for clocks, up to `MARGIN` each way.
    """
    spare = in_flight_limit - SEND_WITHIN - TRANSIT
    most = min(MARGIN, spare / 2)
    return max(_LEAST_WRONG, round(most.total_seconds()))
