"""The end of a world: everything resolves, and then the books are compared to the yen.

No fault is injected any more. Late requests arrive, the consumers decide, notifications
are delivered, and recoverers work until nothing is due. Where a difference is left, the
gateway is asked what it lists, as `kessai reconcile` does.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import attrs

from kessai.audit import verify
from kessai.evidence.outcome import EXPIRE
from kessai.evidence.totals import TOTALS_DIFFER
from kessai.flow import Missing, execute, inquire, resolve_by_hand
from kessai.gateway import Outcome
from kessai.machine import External, Lapsed, Transaction, read_events
from kessai.machine.phases import ENDED
from kessai.machine.transaction import OpenDiscrepancy
from kessai.machine.unclaimed import MAY_BE_ANOTHER
from kessai.simulator.gateway import differences
from kessai.simulator.moves import (
    CloseByHand,
    ComeBack,
    Deliver,
    Recover,
    RollBackSale,
    Sweep,
)
from kessai.simulator.tasks import Role
from kessai.simulator.violation import BrokenPromise, Violation
from kessai.simulator.world import World, asks_first

ROUNDS = 4
LONG_ENOUGH = timedelta(hours=7)
"""Longer than the longest pause of a recovery, and than every in-flight limit."""

NEEDS_NO_FAULT = {"operation_open", MAY_BE_ANOTHER, TOTALS_DIFFER}
"""Reasons for a discrepancy that need no fault. Something of ours was open: the gateway
may let an authorization expire at any moment, and totals show only that something has
moved. A list without amounts may be about what was presumed lost: only a difference
would show that it was."""

_ALL = 10_000


class Quiescence:
    """Lets a world come to rest, and compares both sides."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._never_found: set[str] = set()

    def resolve(self) -> None:
        """Let everything come to its end.

        Raises:
            Violation: something never ends, or the two sides differ.

        """
        self._everybody_finishes()
        self._everything_arrives()
        self._lost_orders_are_opened()
        self._everybody_decides()
        self._notifications_are_delivered()
        self._consumers_come_back()
        self._recoverers_work()
        self._notifications_are_delivered()

    def compare(self) -> None:
        """Compare the engine's books with the gateway's, and both with the answers.

        Raises:
            Violation: they differ, and nothing shows it.

        """
        found = self._world.transactions()
        known = {transaction.id for transaction in found}
        for order in self._world.gateway.orders():
            if order not in known and order not in self._never_found:
                raise Violation(BrokenPromise.UNKNOWN_ORDER, order)
        for transaction in found:
            self._compare(transaction)
        self._operations_hold()
        self._sales_agree()
        for order in self._world.monitor.lost.orders if self._world.lists else ():
            if order in known and order not in self._world.monitor.unclear:
                self._each_movement_is_found(order)

    def audit(self) -> None:
        """Have every trail replayed and every step of it decided again.

        Raises:
            Violation: a trail does not hold.

        """
        report = verify(self._world.store)
        if not report.holds:
            fault = report.faults.first[0]
            raise Violation(BrokenPromise.TRAIL_BROKEN, fault.transaction, str(fault))

    # ── resolving ────────────────────────────────────────────────────────────────────

    def _play(self, move: CloseByHand | Deliver | Recover | Sweep | ComeBack) -> object:
        """Let somebody come and go; what came of it."""
        self._world.play(move)
        task = self._world.tasks.get(move.task)
        if task is None:  # it went at once
            return None
        self._world.finish(task)
        return task.outcome

    def _everybody_finishes(self) -> None:
        for task in tuple(self._world.tasks.values()):
            if task.is_waiting:
                self._everything_arrives(task.number)
            self._world.finish(task)
        for number in tuple(self._world.shops.sales):
            self._world.play(RollBackSale(number))

    def _everything_arrives(self, of: int | None = None) -> None:
        for parcel in tuple(self._world.parcels):
            if of is None or parcel.task == of:
                self._world.bring(parcel)

    def _everybody_decides(self) -> None:
        gateway = self._world.gateway
        for place, order in enumerate(gateway.orders()):
            good = place % 3 > 0
            while gateway.finish(order, good=good):
                pass
            if gateway.awaits_consumer(order):
                gateway.consumer(order, "log_in")
                acts = ["approve", "decline"] if good else ["decline"]
                if not any(gateway.consumer(order, act) for act in acts):
                    gateway.portal(order, "expire", None)  # it has lapsed
        self._world.collect()

    def _notifications_are_delivered(self) -> None:
        world = self._world
        world.collect()
        for order, number in tuple(world.undelivered):
            self._play(Deliver(next(self._world.numbers), order, number))

    def _recoverers_work(self) -> None:
        world = self._world
        for _ in range(ROUNDS):
            world.now += LONG_ENOUGH
            is_due: object = True
            while is_due is not None:
                is_due = self._play(Recover(next(self._world.numbers), Missing.DECLINE))
            self._everybody_decides()
            self._notifications_are_delivered()
            self._consumers_come_back()
            if not world.store.open_transactions(1):
                return
        for order in world.store.open_transactions(_ALL):
            if not world.lists or any(world.monitor.lost.of(order)):
                self._operators_look(order)
        for order in world.store.open_transactions(1):
            raise Violation(BrokenPromise.NEVER_RESOLVED, order)

    def _lost_orders_are_opened(self) -> None:
        """Orders that were opened after the copy was made are asked for once more.

        Not where the gateway would open another payment; nor are they opened if their
        agreement has ended since.
        """
        world = self._world
        if not world.gateway.opens_once:
            self._never_found = world.gone
            return
        for intent in world.monitor.lost.intents:
            command, order = intent.asked, intent.order
            is_found = world.transaction(order).exists
            if is_found or command is None or not intent.opens:
                continue
            if world.gateway.booked(order) is not None:
                while asks_first(world.transaction(order)):
                    self._play(CloseByHand(next(world.numbers), order))
                again = attrs.evolve(command, key=f"{command.key}-at-last")
                world.run(Role.WORKER, execute(world.context, again), order, again)
            if command.agreement is not None and not world.transaction(order).exists:
                self._never_found.add(order)

    def _consumers_come_back(self) -> None:
        world = self._world
        for order in world.gateway.orders():
            if world.gateway.brought(order):
                self._play(ComeBack(next(self._world.numbers), order))

    def _operators_look(self, order: str) -> None:
        """A gateway without a list leaves open what only its people can say.

        Past the time for which it knows a key, nothing that a program asks tells two
        explanations apart; they see it in their own books. So it is with an order that
        was opened once more with another amount, after it was lost.
        """
        world = self._world
        for operation in world.transaction(order).operations.values():
            good = world.monitor.times(world.monitor.operations[operation.id]) > 0
            outcome = Outcome.SUCCEEDED if good else Outcome.DECLINED
            seen = world.gateway.references(order) if good else {}
            flow = resolve_by_hand(
                world.context,
                order,
                operation.id,
                outcome,
                note="asked",
                actor="operator",
                references=seen,
            )
            world.run(Role.OPERATOR, flow, order)

    # ── comparing ───────────────────────────────────────────────────────────────────

    def _compare(self, transaction: Transaction) -> None:
        world, order = self._world, transaction.id
        if transaction.deadlines:
            self._play(Sweep(next(self._world.numbers), order))
            transaction = world.transaction(order)
        booked = world.gateway.booked(order)
        if list(differences(transaction, booked)):
            world.run(Role.RECONCILER, inquire(world.context, order), order)
            transaction = world.transaction(order)
        self._explained(transaction, ", ".join(differences(transaction, booked)))

    def _explained(self, transaction: Transaction, differences: str) -> None:
        """A difference must show as a discrepancy, and both must have their cause."""
        order = transaction.id
        if order in self._world.monitor.unclear:
            return
        if differences and not transaction.discrepancies:
            raise Violation(BrokenPromise.BOOKS_DIFFER, order, differences)
        causes = list(self._discrepancies(transaction))
        strange = [
            reason
            for reason, is_touched in causes
            if not is_touched and reason not in NEEDS_NO_FAULT
        ]
        is_explained = any(is_touched for _, is_touched in causes)
        if strange or (differences and not is_explained):
            detail = ", ".join(sorted(strange)) or differences
            raise Violation(BrokenPromise.UNEXPLAINED_DISCREPANCY, order, detail)
        if transaction.discrepancies:
            self._none_is_explained(transaction)

    def _discrepancies(self, transaction: Transaction) -> Iterator[tuple[str, bool]]:
        """The reason of each open discrepancy, and whether a fault touched its cause.

        What lapses of an order that was lost may be no deadline of the one asked for since.
        """
        order, touched = transaction.id, self._world.monitor.touched
        lost = self._world.monitor.lost
        is_lost = any(intent.opens for intent in lost.of(order))
        for one in transaction.discrepancies.values():
            stated = order, one.command, one.amount
            is_touched = touched.covers(*stated) or lost.covers(*stated)
            yield one.reason, is_touched or (is_lost and one.command == EXPIRE)

    def _none_is_explained(self, transaction: Transaction) -> None:
        """No open discrepancy states what was applied after it: nobody need look."""
        trail = list(read_events(self._world.store.records(transaction.id)))
        for number, one in transaction.discrepancies.items():
            for event in trail[number:]:
                if isinstance(event, External | Lapsed) and _states(event, one):
                    code = BrokenPromise.EXPLAINED_DISCREPANCY_OPEN
                    raise Violation(code, transaction.id, f"event {number}")

    def _sales_agree(self) -> None:
        """Each order that a shop has committed has the payment begun with it, and ended."""
        world = self._world
        for key, command in world.shops.orders.items():
            order = command.transaction
            recorded = world.store.load(key, order, None).recorded
            if recorded is None or recorded.outcome not in ENDED:
                raise Violation(BrokenPromise.ORDER_WITHOUT_PAYMENT, order, key)

    def _operations_hold(self) -> None:
        """Each operation was carried out as often as its caller was answered.

        Those of one command and amount are counted together: the gateway's list does
        not show whose refund of 100 it was.
        """
        world, monitor = self._world, self._world.monitor
        balance: Counter[tuple[str, str, int | None]] = Counter()
        for intent in monitor.operations.values():
            recorded = world.store.load(intent.key, intent.order, None).recorded
            if recorded is None:
                raise Violation(BrokenPromise.ANSWER_LOST, intent.order, intent.key)
            monitor.holds(intent.key, intent.order, recorded.outcome)
            if recorded.outcome not in ENDED:
                raise Violation(BrokenPromise.NEVER_RESOLVED, intent.order, intent.id)
            is_excused = monitor.is_excused(intent) or intent.order in monitor.unclear
            if not is_excused and not monitor.lost.covers(*intent.kind):
                succeeded = recorded.outcome == "succeeded"
                balance[intent.kind] += monitor.times(intent) - succeeded
        for (order, command, amount), more in balance.items():
            if more and command not in world.reads:
                detail = (
                    f"{command} {amount} carried out {more:+} times more than answered"
                )
                raise Violation(BrokenPromise.OUTCOME_IS_WRONG, order, detail)

    def _each_movement_is_found(self, order: str) -> None:
        """Of an order that has lost operations, each movement is one's, or external.

        Of the commands that were lost, whatever the amounts. What is set aside for an
        operator may be found, or state once more what was. Where no opening command was
        carried out, nothing could move.
        """
        world, monitor = self._world, self._world.monitor
        lost = list(monitor.lost.of(order))
        moved: Counter[str] = Counter()
        is_opened = False
        for intent in dict.fromkeys((*lost, *monitor.operations.values())):
            if intent.order == order:
                moved[intent.command] += monitor.times(intent)
                is_opened |= intent.opens and monitor.times(intent) > 0
        if not is_opened:
            return
        found = self._found(order)
        aside = Counter(self._set_aside(order))
        for command in {intent.command for intent in lost} - world.reads:
            more = moved[command] - found[command]
            is_touched = monitor.touched.covers(order, command, None)
            if not is_touched and not 0 <= more <= aside[command]:
                detail = f"{command} carried out {more:+} times more than is found"
                raise Violation(BrokenPromise.OUTCOME_IS_WRONG, order, detail)

    def _set_aside(self, order: str) -> Iterator[str | None]:
        """The command of each open discrepancy that may be a movement of its own.

        An order that is opened once more is found, if its amount is the same and the
        gateway has heard of that.
        """
        monitor = self._world.monitor
        asked = {
            intent.amount
            for intent in monitor.operations.values()
            if intent.order == order and intent.opens and intent in monitor.effects
        }
        machine, transaction = (
            self._world.machine(order),
            self._world.transaction(order),
        )
        for one in transaction.discrepancies.values():
            rule = machine.commands.get(one.command or "") if machine else None
            opens = rule is not None and rule.spec.is_opening
            if not (opens and one.amount in asked):
                yield one.command

    def _found(self, order: str) -> Counter[str]:
        """How often the trail holds each command as carried out, by us or by others."""
        world = self._world
        found: Counter[str] = Counter()
        for intent in world.monitor.operations.values():
            if intent.order == order:
                recorded = world.store.load(intent.key, order, None).recorded
                succeeded = recorded is not None and recorded.outcome == "succeeded"
                found[intent.command] += succeeded
        for event in read_events(world.store.records(order)):
            if isinstance(event, External):
                found[event.command] += 1
        return found


def _states(event: External | Lapsed, one: OpenDiscrepancy) -> bool:
    """Whether `event` has applied just what was set aside as `one`.

    An expiry happens once, and no list gives it an id.
    """
    evidence = event.evidence
    if evidence is None:
        return False
    stated = (evidence.command, evidence.outcome, evidence.amount, evidence.exchange)
    aside = (one.command, one.outcome, one.amount, one.exchange)
    return stated == aside and (one.exchange is not None or isinstance(event, Lapsed))
