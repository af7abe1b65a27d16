"""What is checked at every step: that no promise is broken, not even for a moment.

Owns what the simulator remembers beside the store and the gateway: what was sent for
which operation, what was answered under which key, who holds which lease, and what a
fault has touched.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

import msgspec

from kessai.errors import NotCommitted, SafeToResend
from kessai.flow import Answer, Change, Lease, Loaded, Recorded, Status
from kessai.machine import (
    Closed,
    Command,
    Machine,
    Machines,
    Phase,
    Resent,
    Sent,
    Transaction,
    broken_invariants,
)
from kessai.machine.compile import CompiledCommand
from kessai.machine.phases import ENDED
from kessai.simulator.commands import is_in_force
from kessai.simulator.gateway import BookedExchange, BookedOrder, ahead
from kessai.simulator.intents import Intent, Kept
from kessai.simulator.lost import Lost
from kessai.simulator.tasks import Role, Task
from kessai.simulator.too_soon import TooSoon
from kessai.simulator.touched import Touched
from kessai.simulator.violation import BrokenPromise, Violation
from kessai.spec import Agreement

FAILURE = "failure"
PENDING = "pending"
SUCCESS = "success"


class Monitor:
    """What was written, sent and answered in one world, checked at every step.

    `unclear` are the orders of which nobody can say any more what was carried out since
    the copy was made: an operator has closed what was stated of one before it was opened
    again, or a list without amounts shows what was lost as what was open in the copy.
    """

    def __init__(self, machines: Machines, patience: timedelta, *, lists: bool) -> None:
        self._machines = machines
        self._too_soon = TooSoon(patience)
        self._kept = Kept()
        self._copy: Kept | None = None
        self.effects: dict[Intent, list[BookedExchange]] = {}
        self.holders: dict[str, tuple[Task, Lease]] = {}
        self.touched = Touched(lists=lists)
        self.lost = Lost(lists=lists)
        self.unclear: set[str] = set()
        self._sent_again: set[Intent] = set()
        self._lists = lists
        self.late: set[Intent] = set()
        self.outcomes: Counter[str] = Counter()
        self._moment = 0

    @property
    def operations(self) -> Mapping[str, Intent]:
        """The operations that the store has, by their ids."""
        return self._kept.operations

    def arrives_late(self, intent: Intent, machine: Machine | None) -> None:
        """The request of `intent` arrives when everybody has given it up."""
        self.late.add(intent)
        self.touched.late(machine, intent.order, intent.command, intent.amount)

    def is_excused(self, intent: Intent) -> bool:
        """Whether it may be unclear which of the movements at the gateway is its own.

        Where totals are all that is stated, a lost operation is one more of its command.
        """
        is_lost = not self._lists and self.lost.covers(*intent.kind)
        return is_lost or self.is_touched(intent)

    def is_touched(self, intent: Intent) -> bool:
        """Whether a fault has touched what an operation can be taken for."""
        return self.touched.covers(*intent.kind)

    @property
    def excused(self) -> int:
        """How many operations a fault excuses from the strictest check."""
        return sum(map(self.is_excused, self.operations.values()))

    # ── a copy of the store ─────────────────────────────────────────────────────────

    def copied(self) -> None:
        """A copy of the store is made."""
        self._copy = self._kept.copy()
        self._sent_again.clear()

    def restored(self) -> None:
        """The copy is put back: what was begun and shown since is not in the store.

        That a request was sent again is not in it either, and what comes of that is late.
        """
        before, self._kept = self._kept, self._copy or Kept()
        self.holders.clear()
        for intent in before.operations.values():
            if intent.id not in self._kept.operations:
                self.lost.add(intent, self.times(intent))
                self._is_taken_for_another(intent)
        for name in self._kept.prepared - before.prepared:  # it was sent since
            intent = self._kept.operations[name]
            self.lost.add(intent, self.times(intent))
            if intent.opens and not self._lists:  # nobody knows the gateway's id of it
                self.unclear.add(intent.order)
        for intent in self._sent_again:
            self.touched.late(None, intent.order, intent.command, intent.amount)

    def _is_taken_for_another(self, intent: Intent) -> None:
        """A list without amounts shows `intent` as another one that is open.

        That may be open in the copy; or begin later, if `intent` has yet to arrive.
        """
        if intent.sets_amount and intent in self.late and intent not in self.effects:
            self.unclear.add(intent.order)
        for kept in self._kept.operations.values():
            is_open = kept.key not in self._kept.promised
            alike = (kept.order, kept.command) == (intent.order, intent.command)
            if is_open and alike and intent.sets_amount:
                self.unclear.add(intent.order)

    def lost_is_unclear(self, transaction: Transaction) -> None:
        """The gateway was asked about `transaction`, and both sides differ still.

        An operator is asked to look, or something is open yet, here or at the gateway: a
        checkout, say, that was abandoned here. Until then, what was lost may be carried
        out once more.

        Raises:
            Violation: nothing shows that they differ.

        """
        lost = list(self.lost.of(transaction.id))
        shown = transaction.discrepancies or transaction.operations
        kept = [o for o in self.operations.values() if o.order == transaction.id]
        is_shown = shown or any(map(self._is_pending, (*lost, *kept)))
        if lost and not is_shown and transaction.id not in self.unclear:
            raise Violation(BrokenPromise.BOOKS_DIFFER, transaction.id, "restored")
        for intent in lost:
            self.touched.add(*intent.kind)

    def _is_pending(self, intent: Intent) -> bool:
        effects = self.effects.get(intent, ())
        return any(exchange.result == PENDING for exchange in effects)

    # ── the store ───────────────────────────────────────────────────────────────────

    def wrote(
        self,
        task: Task,
        change: Change,
        booked: BookedOrder | None,
        agreement: Transaction | None,
        under_way: AbstractSet[str],
    ) -> None:
        """A change is in the store.

        `agreement` is the transaction's, as it stands; `under_way` are the operations
        whose requests arrive yet.
        """
        after = change.transaction
        self._invariants_hold(after)
        for detail in ahead(after.amounts, booked):
            raise Violation(BrokenPromise.COUNTED_TOO_MUCH, after.id, detail)
        if change.lease is not None:
            self._lease_counts(task, change.lease)
        held = task.lease if task.role is Role.RECOVERER else None
        self._too_soon.check(change, under_way, booked, held)
        opened = change.begins or change.opens
        if opened is not None:
            self._opens(task, opened, after)
            if after.agreement is not None:
                self._agreement_holds(after, agreement)
        if change.is_intent:
            task.operation = self.operations[_intended(change)]
        self._sends_again(change)
        if self.lost.intents:
            self._finds(change)

    def _sends_again(self, change: Change) -> None:
        for step in change.steps:
            if isinstance(step.event, Resent):
                self._sent_again.add(self.operations[step.event.operation])
            elif isinstance(step.event, Sent):
                self._kept.prepared.discard(step.event.operation)

    def left(self, command: Command, found: Loaded) -> None:
        """A shop's transaction is over: what is not committed has left nothing."""
        opened = (found.transaction or Transaction(command.transaction)).operations
        is_opened = found.recorded is None or command.key in self._kept.opened
        if not is_opened or opened.keys() - self.operations.keys():
            code = BrokenPromise.ROLLED_BACK_IN_PART
            raise Violation(code, command.transaction, command.key)

    def _finds(self, change: Change) -> None:
        """What a change says of movements that the store had lost."""
        for closed in change.closes:
            intent = self.operations.get(closed.operation or "")
            if intent is None or closed.outcome != "succeeded":
                continue
            if not self.times(intent) or intent in self.lost.intents:
                self.lost.claimed(intent)
        for step in change.steps:
            if isinstance(step.event, Closed):
                self.lost.closed(step.before, step.event.discrepancy)
                if not step.before.exists:
                    self.unclear.add(step.before.id)

    def _opens(self, task: Task, opened: Recorded, after: Transaction) -> None:
        if self._kept.opened.get(opened.key, "denied") != "denied":
            raise Violation(
                BrokenPromise.KEY_OPENED_TWICE, opened.transaction, opened.key
            )
        if task.role is Role.CARRIER:
            raise Violation(BrokenPromise.PAYMENT_WITHOUT_ORDER, after.id, opened.key)
        self._kept.opened[opened.key] = opened.outcome
        task.is_written = True
        operation = after.operations.get(opened.operation or "")
        if operation is not None:
            rule = self._rule(after, operation.command)
            if operation.phase is Phase.PREPARED:
                self._kept.prepared.add(operation.id)
            self._kept.operations[operation.id] = Intent(
                operation.id,
                after.id,
                operation.command,
                operation.amount,
                opened.key,
                after.head,
                rule is not None and _repeats(rule),
                task.command,
                rule is not None and rule.sets_amount,
                rule is not None and rule.spec.reads,
            )
            asked = None if task.command is None else task.command.amount
            if asked is not None and asked != operation.amount:
                detail = f"{operation.amount} instead of {asked}"
                raise Violation(BrokenPromise.AMOUNT_CHANGED, after.id, detail)

    def _rule(self, after: Transaction, command: str) -> CompiledCommand | None:
        machine = self._machines.by_hash(after.lifecycle_hash)
        return None if machine is None else machine.commands[command]

    def _agreement_holds(
        self, after: Transaction, agreement: Transaction | None
    ) -> None:
        """What begins under an agreement begins while that is in force."""
        machine = self._machines.by_hash(after.lifecycle_hash)
        for operation in after.operations.values():
            rule = None if machine is None else machine.commands[operation.command]
            needed = None if rule is None else rule.spec.agreement
            if needed is None or after.version > 1:
                continue
            if agreement is None or not _in_force(needed, agreement):
                raise Violation(
                    BrokenPromise.AGREEMENT_NOT_IN_FORCE, after.id, operation.id
                )

    def _invariants_hold(self, after: Transaction) -> None:
        machine = self._machines.by_hash(after.lifecycle_hash)
        broken = broken_invariants(machine, after) if machine else ()
        if broken:
            raise Violation(BrokenPromise.INVARIANT_BROKEN, after.id, ", ".join(broken))

    def leased(
        self, task: Task, lease: Lease, now: datetime, alive: Mapping[int, Task]
    ) -> None:
        """A recoverer was given a lease; nobody who is `alive` may have another."""
        task.lease, task.order = lease, lease.transaction
        held = self.holders.get(lease.transaction)
        if held is not None and held[1].until > now and held[0].number in alive:
            who = f"tasks {held[0].number} and {task.number}"
            raise Violation(BrokenPromise.LEASED_TWICE, lease.transaction, who)
        self.holders[lease.transaction] = (task, lease)
        self._kept.last_leases[lease.transaction] = lease.number

    def released(self, lease: Lease) -> None:
        """A lease was given back, or counts no more."""
        held = self.holders.get(lease.transaction)
        if held is not None and held[1].number == lease.number:
            del self.holders[lease.transaction]

    def _lease_counts(self, task: Task, lease: Lease) -> None:
        if self._kept.last_leases.get(lease.transaction, 0) > lease.number:
            raise Violation(
                BrokenPromise.WROTE_WITHOUT_LEASE, lease.transaction, str(task.number)
            )

    # ── the gateway ─────────────────────────────────────────────────────────────────

    def departs(
        self,
        intent: Intent,
        now: datetime,
        stored: Transaction,
        recorded: Recorded | None,
    ) -> None:
        """A request that changes something leaves."""
        if recorded is None or intent.id in self._kept.prepared:
            raise Violation(BrokenPromise.SENT_WITHOUT_INTENT, stored.id, intent.id)
        has_ended = (
            recorded.outcome == "declined" and intent.id not in stored.operations
        )
        # Between a resend's intent and its sending, the refusal may be read by another
        # (or in the reply that its own first worker waited for). That is no fault: a
        # gateway that keeps keys gives its first answer again, and nothing moves. It
        # has to know the key for that: what never arrived, it would carry out now.
        is_known = not self._lists and intent in self.effects
        # What someone did in the portal cannot always be distinguished from what was
        # asked for. A read moves nothing.
        is_harmless = is_known or intent.reads or self.is_excused(intent)
        if has_ended and not is_harmless:
            raise Violation(
                BrokenPromise.SENT_AFTER_ITS_END, stored.id, f"{intent.id} at {now}"
            )
        # What the copy has goes out under its own key: such a gateway knows it from others.
        is_own = is_known or (not self._lists and self._is_of_the_copy(intent))
        if self.lost.stands(intent) and not (is_own or self.is_touched(intent)):
            raise Violation(BrokenPromise.REPEATED, stored.id, intent.id)

    def _is_of_the_copy(self, intent: Intent) -> bool:
        return self._copy is not None and intent in self._copy.operations.values()

    def arrived(self, intent: Intent, new: Sequence[BookedExchange]) -> None:
        """What the gateway has listed for a request."""
        effects = self.effects.setdefault(intent, [])
        effects += new
        # Those that took effect, or may do so yet: a pending one may have failed since.
        lasting = sum(exchange.result != FAILURE for exchange in effects)
        if intent not in self.late and lasting > 1:
            raise Violation(BrokenPromise.CARRIED_OUT_TWICE, intent.order, intent.id)

    def times(self, intent: Intent) -> int:
        """How often the gateway has carried an operation out for good."""
        effects = self.effects.get(intent, ())
        return sum(exchange.result == SUCCESS for exchange in effects)

    # ── the callers ─────────────────────────────────────────────────────────────────

    def begins(self, task: Task) -> None:
        """A caller asks: every end that was shown before now must hold for it."""
        self._moment += 1
        task.began = self._moment

    def answered(self, task: Task, answer: Answer) -> None:
        """A caller was answered."""
        self.outcomes[answer.status.value] += 1
        if answer.denial is not None and "key_conflict" in answer.denial.codes:
            return
        outcome = answer.status.value
        promised_at = self._kept.promised_at.get(answer.key, task.began)
        if outcome in ENDED or promised_at < task.began:
            self.holds(answer.key, answer.transaction.id, outcome)

    def holds(self, key: str, order: str, outcome: str) -> None:
        """The outcome under a key must be the end that was shown before.

        A denial is none: the same request may be decided otherwise later.
        """
        promised = self._kept.promised.get(key)
        if promised is not None and promised != outcome:
            detail = f"{key}: {promised}, then {outcome}"
            raise Violation(BrokenPromise.ANSWER_CONTRADICTED, order, detail)
        if outcome in ENDED and promised is None:
            self._kept.promised[key] = outcome
            self._moment += 1
            self._kept.promised_at[key] = self._moment

    def failed(self, task: Task, error: Exception) -> None:
        """A caller was given an error."""
        self.outcomes[type(error).__name__] += 1
        key = "" if task.command is None else task.command.key
        is_begun = self._kept.opened.get(key, "denied") != "denied"
        if isinstance(error, NotCommitted) and is_begun:
            raise Violation(BrokenPromise.ANSWER_LOST, task.order, key)
        if isinstance(error, SafeToResend) and task.is_written:
            # The error states that nothing was written: a new key would act twice.
            raise Violation(
                BrokenPromise.NOT_SAFE_TO_RESEND, task.order, type(error).__name__
            )


def _in_force(needed: Agreement, agreement: Transaction) -> bool:
    under_way = {operation.command for operation in agreement.operations.values()}
    return is_in_force(needed, agreement) and not under_way & set(needed.unless_open)


def _intended(change: Change) -> str:
    if change.begins is not None and change.begins.operation is not None:
        return change.begins.operation
    body = msgspec.json.decode(change.records[-1].body)
    return str(body["data"]["operation"])


def is_denied(outcome: object) -> bool:
    """Whether a task's outcome is a denial."""
    return isinstance(outcome, Answer) and outcome.status is Status.DENIED


def _repeats(rule: CompiledCommand) -> bool:
    """Whether an equal command would move an amount once more."""
    return not (rule.sets_amount or rule.spec.reads or rule.spec.is_opening)
