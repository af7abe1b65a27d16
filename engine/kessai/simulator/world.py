"""One small world: order systems, workers, recoverers, a gateway, a clock, a store.

Plays moves, one after the other, in one thread: a third driver over the engine's own
flows, besides `Engine` and `AsyncEngine`. It draws no random number: the same moves
make the same world.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import attrs

from kessai.driver import ask_store, report
from kessai.errors import (
    CommitUnknown,
    KessaiError,
    NotCommitted,
    NotificationRefused,
    RecoveryFailed,
    StoreBusy,
    StoreFailed,
    VersionConflict,
)
from kessai.flow import (
    Answer,
    Append,
    Change,
    Claim,
    Context,
    Flow,
    Lease,
    Now,
    Prepared,
    Recovery,
    Release,
    Send,
    begin,
    carry_out_prepared,
    close_by_hand,
    execute,
    inquire,
    receive_notification,
    recover,
    recover_due,
    resume,
    sweep,
)
from kessai.flow.effects import Effect, Result, StoreEffect
from kessai.gateway import Failure, Reply, Request
from kessai.machine import Command, Machine, Machines, Transaction
from kessai.simulator import moves
from kessai.simulator.backup import Backup
from kessai.simulator.faults import Fault
from kessai.simulator.gateway import MakeGateway, Notice, differences
from kessai.simulator.gateways import Gateways
from kessai.simulator.intents import Intent
from kessai.simulator.monitor import Monitor, is_denied
from kessai.simulator.sale import Sale, Shops
from kessai.simulator.slips import NextSlip, SlippingAdapter
from kessai.simulator.tasks import Role, Task
from kessai.simulator.violation import BrokenPromise, Violation
from kessai.simulator.wire import TRANSIT, Parcel
from kessai.stores import Store

BEGINNING = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

_LOST = Failure(sent=True, reason="ReadTimeout")
_NOT_CONNECTED = Failure(sent=False, reason="ConnectError")
_STORE_ERRORS: Mapping[Fault, Callable[[str], KessaiError]] = {
    Fault.STORE_BUSY: StoreBusy,
    Fault.STORE_FAILED: StoreFailed,
    Fault.COMMIT_LOST: CommitUnknown,
}
_DEATHS_AFTER = frozenset({Fault.CRASH_AFTER, Fault.INTERRUPTED_RECOVERY})
RESET = "reset"
"""The detail of a slow request whose caller gets no reply."""

_WRITES = Append | Claim | Release
_NUMBERS = 1_000_000_000
"""From here on the tasks are numbered that no move begins."""

_PATIENCE = 10_000
_MISHAPS = {
    Fault.REFUSAL: "refuse",
    Fault.PENDING: "pending",
    Fault.FAILED_REFUND: "pending",
}


@attrs.frozen
class Stage:
    """What worlds are made of: lifecycles, a gateway, a store, how they recover."""

    machines: Machines
    make_gateway: MakeGateway
    make_store: Callable[[], Store]
    recovery: Recovery = Recovery()  # noqa: RUF009 - it is frozen


class World:
    """A world at its beginning; `play` takes it one move on."""

    def __init__(self, stage: Stage) -> None:
        self.now = BEGINNING
        self.gateway = Gateways(stage.make_gateway(lambda: self.now))
        self._make_store = stage.make_store
        self.store = stage.make_store()
        self._backup, self._slip = Backup(), NextSlip()
        slipping = [SlippingAdapter(each, self._slip) for each in self.gateway.adapters]
        self.context = Context(stage.machines, slipping)
        adapters = self.context.adapters
        self._knows_one = {
            account: attrs.evolve(self.context, adapters=[adapter])
            for account, adapter in adapters.items()
        }
        self.recovery = stage.recovery
        self.lists = all(adapter.replays is None for adapter in adapters.values())
        self.monitor = Monitor(
            stage.machines, stage.recovery.patience, lists=self.lists
        )
        self.numbers = count(_NUMBERS)
        self.gone: set[str] = set()
        self.tasks: dict[int, Task] = {}
        self.parcels: list[Parcel] = []
        self.notifications: dict[str, list[Notice]] = {}
        self.undelivered: list[tuple[str, int]] = []
        self.waiting: dict[str, None] = {}
        self.returned: dict[str, None] = {}
        self.pending: dict[str, bool] = {}
        self.sent: dict[Request, Intent] = {}
        self.faults: Counter[Fault] = Counter()
        self.commands = 0
        self.accepted = 0
        self.recovered = 0
        self.retries: list[Task] = []
        self.shops = Shops()
        self.reads = frozenset(
            name
            for machine in stage.machines.current
            for name, rule in machine.commands.items()
            if rule.spec.reads
        )
        self._plays: dict[type[moves.WorldMove], Callable[[Any], None]] = {
            moves.Ask: self._ask,
            moves.Sell: self._sell,
            moves.CommitSale: self._commit_sale,
            moves.RollBackSale: self._roll_back_sale,
            moves.CarryOut: self._carry_out_prepared,
            moves.Recover: self._recover,
            moves.Sweep: self._sweep,
            moves.Deliver: self._deliver,
            moves.LoseNotification: self._lose_notification,
            moves.TaskStep: self._step,
            moves.Arrive: self._arrive,
            moves.Pass: self._pass,
            moves.Consume: self._consume,
            moves.InPortal: self._in_portal,
            moves.Finish: self._finish,
            moves.ComeBack: self._come_back,
            moves.TakeBack: self._take_back,
            moves.BackUp: self._back_up,
            moves.Restore: self._restore,
            moves.CloseByHand: self._close_by_hand,
        }

    def play(self, move: moves.WorldMove) -> None:
        """Make `move`, or nothing if what it is about is not there.

        Raises:
            Violation: what must never happen has happened.

        """
        self._plays[type(move)](move)

    def close(self) -> None:
        """Let go of the store and the gateway."""
        self.store.close()
        self.gateway.close()

    def transaction(self, order: str) -> Transaction:
        """A transaction as it stands, blank if there is none."""
        return self.store.load(None, order, None).transaction or Transaction(order)

    def transactions(self) -> list[Transaction]:
        """Every transaction that came to be."""
        return [found for found in self.store.transactions() if found.exists]

    # ── who comes to work ───────────────────────────────────────────────────────────

    def _ask(self, move: moves.Ask) -> None:
        command = move.command
        flow = execute(self._known(move.account), command)
        task = Task(move.task, Role.WORKER, flow, command.transaction, command=command)
        self.commands += 1
        self._inject(move.fault)
        # A gateway that goes by ids of its own would open another payment.
        if self.gateway.opens_once or command.transaction not in self.gone:
            self._enter(task, move.skew)

    def _sell(self, move: moves.Sell) -> None:
        command = move.command
        self.commands += 1
        if not self.gateway.opens_once and command.transaction in self.gone:
            return
        flow = begin(self.context, command)
        task = Task(move.task, Role.SHOP, flow, command.transaction, command=command)
        sale = Sale(self.store, task, command, is_isolated=move.is_isolated)
        self.shops.sales[move.task] = sale
        self._enter(task, move.skew)

    def _carry_out_prepared(self, move: moves.CarryOut) -> None:
        command = move.command
        flow = carry_out_prepared(self.context, Prepared(command=command))
        order = command.transaction
        task = Task(move.task, Role.CARRIER, flow, order, command=command)
        self._enter(task, move.skew)

    def _recover(self, move: moves.Recover) -> None:
        recovery = attrs.evolve(self.recovery, missing=move.missing)
        context = self._known(move.account)
        flow: Flow[Any] = recover_due(context, recovery)
        if move.order:
            flow = recover(context, move.order, recovery)
        self._enter(Task(move.task, Role.RECOVERER, flow, move.order), move.skew)

    def _known(self, account: str | None) -> Context:
        """What a process works with that knows one account, or all."""
        if account is None:
            return self.context
        self._inject(Fault.ACCOUNT_UNKNOWN)
        return self._knows_one[account]

    def _sweep(self, move: moves.Sweep) -> None:
        flow = sweep(self.context, move.order)
        self._enter(Task(move.task, Role.SWEEPER, flow, move.order), move.skew)

    def _deliver(self, move: moves.Deliver) -> None:
        notices = self.notifications.get(move.order, ())
        if move.number >= len(notices):
            return
        notice = notices[move.number]
        body, mark = notice.body, (move.order, move.number)
        is_forged = move.fault in {Fault.FORGED_NOTIFICATION, Fault.WRONG_ENDPOINT}
        if move.fault is Fault.FORGED_NOTIFICATION:
            body += b"&forged=1"
        elif not is_forged and mark in self.undelivered:
            self.undelivered.remove(mark)
        account = move.account or notice.account
        flow = receive_notification(self.context, notice.headers, body, account)
        task = Task(move.task, Role.RECEIVER, flow, move.order, notification=mark)
        task.is_forged = is_forged
        self._inject(move.fault)
        self._enter(task, 0)

    def _enter(self, task: Task, skew: int) -> None:
        task.skew = timedelta(seconds=skew)
        if skew:
            self._inject(Fault.SKEWED_CLOCK)
        self.tasks[task.number] = task
        self.monitor.begins(task)
        self._resume(task)

    def start(self, task: Task) -> None:
        """Let a task of the simulator's own begin."""
        self._enter(task, 0)

    def run(
        self,
        role: Role,
        flow: Flow[Any],
        order: str = "",
        command: Command | None = None,
    ) -> object:
        """Carry out a flow of the simulator's own, with no fault; what came of it."""
        task = Task(next(self.numbers), role, flow, order, command=command)
        self.start(task)
        self.finish(task)
        return task.outcome

    def finish(self, task: Task) -> None:
        """Let `task` go on to its end, with no fault."""
        step = moves.TaskStep(task.number)
        for _ in range(_PATIENCE):
            if task.number not in self.tasks:
                return
            self._step(step)
        raise Violation(BrokenPromise.NEVER_ENDS, task.order, task.role)

    # ── a step ──────────────────────────────────────────────────────────────────────

    def _step(self, move: moves.TaskStep) -> None:
        task = self.tasks.get(move.task)
        if task is None or task.effect is None:
            return
        fault = move.fault
        if fault is Fault.CRASH_BEFORE:
            self._die(task, fault)
        elif not task.is_waiting:
            self._perform_next(task, task.effect, move)

    def _perform_next(self, task: Task, effect: Effect, move: moves.TaskStep) -> None:
        try:
            task.run.result = self._perform(task, effect, move)
        except KessaiError as error:
            task.run.error = error
        if task.is_waiting or (task.reply is not None and move.hold):
            return
        task.reply = None
        if move.fault in _DEATHS_AFTER:
            self._die(task, move.fault)
        else:
            self._resume(task)
        self._slip.take()

    def _die(self, task: Task, fault: Fault | None) -> None:
        self._inject(fault)
        del self.tasks[task.number]
        task.effect = None
        task.run.close()
        self._leave_no_sale(task)
        if task.command is not None:
            self.retries.append(task)
        elif task.notification is not None:
            self.undelivered.append(task.notification)  # the gateway was given no 200

    def _resume(self, task: Task) -> None:
        try:
            task.effect = next(task.run, None)
        except RecoveryFailed as failure:  # nothing gives it a reason to fail here
            raise _broke(task, failure) from failure
        except KessaiError as failure:
            self._failed(task, failure)
        except Exception as failure:
            raise _broke(task, failure) from failure
        else:
            if task.effect is None:
                self._ended(task, task.run.value)

    def _ended(self, task: Task, outcome: object) -> None:
        del self.tasks[task.number]
        task.outcome = outcome
        if isinstance(outcome, Prepared):
            self.shops.sales[task.number].prepared = outcome
        elif isinstance(outcome, Answer):
            self.monitor.answered(task, outcome)
            self.accepted += task.is_written and not is_denied(outcome)
        elif task.role is Role.RECOVERER and outcome is not None:
            self.recovered += 1
        elif task.is_forged:
            raise Violation(BrokenPromise.FORGED_NOTIFICATION_TAKEN, task.order)

    def _failed(self, task: Task, error: KessaiError) -> None:
        del self.tasks[task.number]
        task.effect, task.outcome = None, error
        self.monitor.failed(task, error)
        self._leave_no_sale(task)
        if task.role is Role.SHOP and isinstance(error, VersionConflict):
            self.shops.begun_anew += [task.command] if task.command else []
        elif isinstance(error, NotCommitted):
            pass  # there is no order that it would be for
        elif task.command is not None:
            self.accepted += task.is_written
            self.retries.append(task)
        elif task.notification is not None and not isinstance(
            error, NotificationRefused
        ):
            self.undelivered.append(task.notification)

    # ── a shop's own transaction ────────────────────────────────────────────────────

    def _commit_sale(self, move: moves.CommitSale) -> None:
        """Its order and what it has begun are committed together, or neither is."""
        sale = self.shops.sales.get(move.task)
        if sale is None or sale.prepared is None:
            return
        self._inject(move.fault)
        is_kept = move.fault in {None, Fault.COMMIT_KEPT} and self._is_committed(sale)
        if not is_kept:
            self.shops.begun_anew.append(sale.command)
        self._leave_no_sale(sale.task)

    def _is_committed(self, sale: Sale) -> bool:
        """Commit it; False if others were faster."""
        assert sale.prepared is not None  # noqa: S101 - it is not committed before
        try:
            if sale.change is not None:
                self._store_does(sale.task, Append(sale.change))
        except VersionConflict:
            return False
        if not is_denied(sale.prepared.answer):
            self.shops.orders[sale.command.key] = sale.command
            self.accepted += sale.change is not None
        return True

    def _roll_back_sale(self, move: moves.RollBackSale) -> None:
        sale = self.shops.sales.get(move.task)
        if sale is not None and sale.prepared is not None:
            self._inject(Fault.ROLLED_BACK)
            self._leave_no_sale(sale.task)

    def _leave_no_sale(self, task: Task) -> None:
        """The transaction of a shop's task is over; what is not committed was never there."""
        sale = self.shops.sales.pop(task.number, None)
        if sale is not None:
            found = self.store.load(sale.command.key, task.order, None)
            self.monitor.left(sale.command, found)

    # ── effects ─────────────────────────────────────────────────────────────────────

    def _perform(self, task: Task, effect: Effect, move: moves.TaskStep) -> Result:
        match effect:
            case Now():
                return self.now + task.skew
            case Send():
                return self._send(task, effect, move)
            case _ if task.number in self.shops.sales:
                return self._ask_within(task, effect, move.fault)
            case _:
                return self._ask_store(task, effect, move.fault)

    def _ask_within(self, task: Task, effect: Effect, fault: Fault | None) -> Result:
        if fault is Fault.STORE_BUSY:
            self._inject(fault)
            raise StoreBusy(fault)
        return self.shops.sales[task.number].perform(effect, self.now + task.skew)

    def _ask_store(
        self, task: Task, effect: StoreEffect, fault: Fault | None
    ) -> Result:
        error = None if fault is None else _STORE_ERRORS.get(fault)
        is_write = isinstance(effect, _WRITES)
        if error is not None and (is_write or fault is Fault.STORE_BUSY):
            self._inject(fault)
            raise error(str(fault))
        result = self._store_does(task, effect)
        if fault is Fault.COMMIT_KEPT and is_write:
            self._inject(fault)
            raise CommitUnknown(fault)
        return result

    def _store_does(self, task: Task, effect: StoreEffect) -> Result:
        result = ask_store(self.store, effect)
        self._backup.note(effect)
        report(effect, result)
        match effect:
            case Append(change):
                order = change.transaction.id
                booked, agreement = self.gateway.booked(order), self._under(change)
                self.monitor.wrote(task, change, booked, agreement, self.under_way)
            case Claim(now) if isinstance(result, Lease):
                self.monitor.leased(task, result, now, self.tasks)
            case Release(lease, _):
                self.monitor.released(lease)
            case _:  # what is only read needs no check
                pass
        return result

    @property
    def under_way(self) -> set[str]:
        """The operations whose requests will arrive, as networks do."""
        return {
            parcel.operation.id
            for parcel in self.parcels
            if parcel.operation is not None and parcel.due_at is not None
        }

    def machine(self, order: str) -> Machine | None:
        """The machine of an order; None while it has none."""
        return self.context.machines.by_hash(self.transaction(order).lifecycle_hash)

    def _under(self, change: Change) -> Transaction | None:
        agreement = change.transaction.agreement
        if agreement is None or change.begins is None:
            return None
        return self.store.load(None, agreement, None).transaction

    # ── the wire ────────────────────────────────────────────────────────────────────

    def _send(self, task: Task, send: Send, move: moves.TaskStep) -> Result:
        if task.reply is not None:  # it came a while ago
            return task.reply
        request = send.sealed(self.now + task.skew, bytes)
        if isinstance(request, Failure):
            return request
        fault = move.fault
        order, operation = self._asks(task, send)
        self._is_asked_rightly(order, request)
        if fault is Fault.NO_CONNECTION:
            self._inject(fault)
            task.reply = _NOT_CONNECTED
            return task.reply
        task.reply = self._leave(
            task,
            Parcel(task.number, request, operation, order, self.now + TRANSIT),
            move,
        )
        return task.reply

    def _is_asked_rightly(self, order: str, request: Request) -> None:
        """Only the account that an order belongs to is ever asked about it.

        An order kit's inquiries do not say which order they are about; it has one account.
        What a notification needs is fetched before anybody knows whether there is an order.
        """
        asked, owner = self.gateway.account_of(request), self.transaction(order).account
        if owner and asked != owner:
            detail = f"{asked} was asked, it belongs to {owner}"
            raise Violation(BrokenPromise.ANOTHER_ACCOUNT, order, detail)

    def _asks(self, task: Task, send: Send) -> tuple[str, Intent | None]:
        """The order that a request is about, and the operation it carries out."""
        # An inquiry or a read changes nothing, nor does what shows a page once more.
        if send.until is None or send.request.method == "GET":
            return task.order, None
        # Who asks for a page once more sends what was sent before, and writes no intent.
        intent = task.operation or self.sent.get(send.request)
        if intent is None:
            raise Violation(
                BrokenPromise.SENT_WITHOUT_INTENT, task.order, str(task.number)
            )
        self.sent[send.request] = intent
        loaded = self.store.load(intent.key, intent.order, None)
        stored = loaded.transaction or Transaction(intent.order)
        self.monitor.departs(intent, self.now, stored, loaded.recorded)
        return intent.order, intent

    def _leave(
        self, task: Task, parcel: Parcel, move: moves.TaskStep
    ) -> Reply | Failure | None:
        fault = move.fault
        match fault:
            case Fault.LOST_REQUEST:
                self._inject(fault)
                return _LOST
            case Fault.LATE_REQUEST if parcel.operation is not None:
                self._inject(fault)
                self.monitor.arrives_late(parcel.operation, self.machine(parcel.order))
                self.parcels.append(attrs.evolve(parcel, due_at=None))
                return _LOST
            case Fault.SLOW_REQUEST:
                self._inject(fault)
                self.parcels.append(parcel)
                if move.detail == RESET:
                    return _LOST
                task.is_waiting = True
                return None
            case Fault.ADAPTER_SLIPS:
                self._inject(fault)
                self._slip.kind = move.detail
                reply = self._carry_out(parcel, move)
            case _:
                reply = self._carry_out(parcel, move)
        if fault is Fault.LOST_REPLY:
            self._inject(fault)
            return _LOST
        return reply

    def _carry_out(self, parcel: Parcel, move: moves.TaskStep | None) -> Reply:
        """The request arrives."""
        mishap = None if move is None else self._mishap(parcel, move)
        order, gateway = parcel.order, self.gateway
        before = len(gateway.exchanges(order)) if parcel.operation else 0
        reply = gateway.carry_out(parcel.request, mishap)
        if parcel.operation is not None:
            new = gateway.exchanges(order)[before:]
            self.monitor.arrived(parcel.operation, new)
            if new and gateway.awaits_consumer(order):
                self.waiting[order] = None
            self.collect()
        return reply

    def _mishap(self, parcel: Parcel, move: moves.TaskStep) -> str | None:
        fault = move.fault
        if fault is Fault.BAD_REPLY:
            self._inject(fault)
            return move.detail
        if fault is None or parcel.operation is None:
            return None
        mishap = _MISHAPS.get(fault)
        if mishap is not None:
            self._inject(fault)
        if mishap == "pending":
            self.pending[parcel.order] = fault is Fault.PENDING
        return mishap

    def _arrive(self, move: moves.Arrive) -> None:
        for parcel in self.parcels:
            if parcel.task == move.task:
                self.bring(parcel)
                return

    def bring(self, parcel: Parcel) -> None:
        """A request that is under way arrives."""
        self.parcels.remove(parcel)
        reply = self._carry_out(parcel, None)
        task = self.tasks.get(parcel.task)
        if task is not None and task.is_waiting:
            task.is_waiting, task.reply = False, reply

    def collect(self) -> None:
        """Collect the notifications that the gateway has sent."""
        for notice in self.gateway.take_notifications():
            mine = self.notifications.setdefault(notice.order, [])
            self.undelivered.append((notice.order, len(mine)))
            mine.append(notice)

    # ── what happens of itself ──────────────────────────────────────────────────────

    def _pass(self, move: moves.Pass) -> None:
        if move.fault is not None:
            self._inject(move.fault)
        later = self.now + timedelta(seconds=move.seconds)
        for parcel in tuple(self.parcels):
            if parcel.due_at is not None and parcel.due_at <= later:
                self.now = max(self.now, parcel.due_at)
                self.bring(parcel)
        self.now = later

    def _lose_notification(self, move: moves.LoseNotification) -> None:
        mark = (move.order, move.number)
        if mark in self.undelivered:
            self.undelivered.remove(mark)
            self._inject(Fault.LOST_NOTIFICATION)

    def _consume(self, move: moves.Consume) -> None:
        self.gateway.consumer(move.order, move.act)
        if not self.gateway.awaits_consumer(move.order):
            self.waiting.pop(move.order, None)
        if self.gateway.brought(move.order):
            self.returned[move.order] = None
        self.collect()

    def _come_back(self, move: moves.ComeBack) -> None:
        brought = self.gateway.brought(move.order)
        if not brought:
            self.returned.pop(move.order, None)
            return
        flow = resume(self.context, move.order, brought)
        self._enter(Task(move.task, Role.WORKER, flow, move.order), 0)

    def _take_back(self, move: moves.TakeBack) -> None:
        if self.gateway.take_back(move.order):
            self._inject(Fault.LATE_REVERSAL)
            self.monitor.touched.reversed(self.machine(move.order), move.order)
        self.collect()

    # ── a backup ────────────────────────────────────────────────────────────────────

    def _back_up(self, _: moves.BackUp) -> None:
        self._backup.make()
        self.shops.copied = dict(self.shops.orders)
        self.monitor.copied()

    def _restore(self, _: moves.Restore) -> None:
        """As the README has it: all stop, the copy is put back, the gateway is asked."""
        if not self._backup.is_made or self.faults[Fault.RESTORED_BACKUP]:
            return
        self._inject(Fault.RESTORED_BACKUP)
        for task in tuple(self.tasks.values()):
            self._die(task, None)
        self.shops.sales.clear()
        self._pass(moves.Pass(round(self.recovery.in_flight_limit.total_seconds())))
        self.store.close()
        self.store = self._backup.put_back(self._make_store)
        self.shops.orders = dict(self.shops.copied)
        self.monitor.restored()
        lost = self.monitor.lost.orders
        self.gone = {order for order in lost if not self.transaction(order).exists}
        self._gateway_is_asked()

    def _gateway_is_asked(self) -> None:
        for transaction in self.transactions():
            flow = inquire(self.context, transaction.id)
            self.run(Role.RECONCILER, flow, transaction.id)
        found: object = True
        while found is not None:
            found = self.run(Role.RECOVERER, recover_due(self.context, self.recovery))
        for transaction in self.transactions():
            if transaction.deadlines:
                self.run(Role.SWEEPER, sweep(self.context, transaction.id))
        for transaction in self.transactions():
            booked = self.gateway.booked(transaction.id)
            if any(differences(transaction, booked)):
                self.monitor.lost_is_unclear(transaction)

    def _close_by_hand(self, move: moves.CloseByHand) -> None:
        for number in asks_first(self.transaction(move.order))[:1]:
            found = {"note": "another one is meant", "actor": "operator"}
            flow = close_by_hand(self.context, move.order, number, **found)
            self._enter(Task(move.task, Role.OPERATOR, flow, move.order), 0)

    def _in_portal(self, move: moves.InPortal) -> None:
        # What the portal refuses is listed too, and reported by notification.
        if self.gateway.exchanges(move.order):
            self.gateway.portal(move.order, move.act, move.amount)
            self._inject(Fault.PORTAL)
            self.monitor.touched.add(move.order, move.act, move.amount)
        self.collect()

    def _finish(self, move: moves.Finish) -> None:
        self.pending.pop(move.order, None)
        self.gateway.finish(move.order, good=move.good)
        self.collect()

    def _inject(self, fault: Fault | None) -> None:
        if fault is not None:
            self.faults[fault] += 1


def asks_first(transaction: Transaction) -> tuple[int, ...]:
    """The events that an operator closes before what equals them can be asked for.

    Of an order that the store has lost, what it was notified of since.
    """
    if transaction.exists:
        return transaction.unclaimed_events
    return tuple(transaction.discrepancies)


def _broke(task: Task, failure: Exception) -> Violation:
    detail = f"{type(failure).__name__}: {failure}"
    return Violation(BrokenPromise.ENGINE_BROKE, task.order, detail)
