"""Mistakes planted in the engine, one at a time: what the simulator must find.

Each is one that payment code is known for. A defect is a context manager over the real
code; afterwards everything is as it was.
"""

from datetime import timedelta
from importlib import import_module

import account_defects  # noqa: F401 - it adds its own
import attrs
import recovery_defects  # noqa: F401 - so do these
import restore_defects  # noqa: F401
import sale_defects  # noqa: F401
from msgspec.structs import replace
from planting import DEFECTS, defect, planted

from kessai import MemoryStore
from kessai.errors import CommitUnknown, SafeToResend, StoreFailed
from kessai.evidence.attempts import Case
from kessai.flow import Append, Send
from kessai.gateway import Failure, Outcome
from kessai.machine import External

# By their full names: the packages have functions called like their modules.
absence = import_module("kessai.evidence.absence")
execute = import_module("kessai.flow.execute")
inquiry = import_module("kessai.flow.inquiry")
notified = import_module("kessai.evidence.notification")
steps = import_module("kessai.flow.steps")
chain = import_module("kessai.machine.chain")
decide = import_module("kessai.machine.decide")
evolve = import_module("kessai.machine.evolve")
replies = import_module("kessai_adapters.veritrans4g.replies")
wire_lookup = import_module("kessai_adapters.veritrans4g.inquiry")
wire_notification = import_module("kessai_adapters.veritrans4g.notification")

__all__ = ["DEFECTS"]

# ── deciding ────────────────────────────────────────────────────────────────────────


@defect
def no_in_flight_exclusion():
    """A second capture is allowed while the first is unknown (Kill Bill #1015)."""
    with planted((decide, "_busy", lambda rule, transaction: iter(()))):
        yield


@defect
def a_refund_is_clamped():
    """More than there is to refund is asked for, and what there is is taken."""
    original = decide._amount

    def clamped(rule, command, bounds, reasons):
        amount = command.amount
        if bounds is not None and amount is not None and amount > bounds.maximum:
            amount = max(bounds.minimum, bounds.maximum)
            command = attrs.evolve(command, amount=amount)
        return original(rule, command, bounds, reasons)

    with planted((decide, "_amount", clamped)):
        yield


@defect
def a_reservation_is_not_taken():
    """Pending refunds are ignored by the next one's bounds (Saleor #19645)."""

    def begun(machine, transaction, event):
        if machine.commands[event.operation.command].spec.is_opening:
            return original(machine, transaction, event)
        operations = {**transaction.operations, event.operation.id: event.operation}
        return {"operations": operations}

    original = evolve._begun
    with planted((evolve, "_begun", begun)):
        yield


@defect
def a_reservation_is_not_released():
    """A declined refund holds its amount back for ever."""
    original = evolve._declined

    def declined(transaction, *ended):
        changes = original(transaction, *ended)
        return {**changes, "amounts": transaction.amounts}

    with planted((evolve, "_declined", declined)):
        yield


@defect
def the_agreement_may_move_meanwhile():
    """A charge begins under a consent that was ended since it was read."""
    original = MemoryStore.append

    def append(self, change):
        original(self, replace(change, agreement=None))

    with planted((MemoryStore, "append", append)):
        yield


# ── sending ─────────────────────────────────────────────────────────────────────────


@defect
def the_outcome_comes_before_the_intent():
    """The gateway is called first, and what came of it written afterwards."""
    original = execute._begin

    def begin(context, machine, loaded, operation, account, **how):
        event = execute.Begun(operation.begun_at, operation, account=account)
        begun, record = execute.append(machine, loaded.transaction, event)
        call = execute.call_for(machine, begun, operation, record.hash)
        prepared = execute.operation_to_send(context, machine, begun, call)
        yield Send(prepared.started.first, operation.begun_at + timedelta(minutes=1))
        return (
            yield from original(context, machine, loaded, operation, account, **how)
        )

    with planted((execute, "_begin", begin)):
        yield


@defect
def a_lost_reply_is_sent_again():
    """What was not answered is sent anew, as if it were another request."""
    original = execute.carry_out

    def carry_out(context, prepared):
        until = prepared.operation.sent_at + execute.SEND_WITHIN
        reply = yield Send(prepared.started.first, until)
        if isinstance(reply, Failure) and reply.sent:
            return (yield from original(context, prepared))
        evidence = prepared.adapter.adapter.evidence(prepared.started.call, reply)
        try:
            return (yield from execute._conclude(context, prepared, evidence))
        except SafeToResend as error:
            raise CommitUnknown(str(error)) from error

    with planted((execute, "carry_out", carry_out)):
        yield


@defect
def a_sleeper_sends_and_writes_all_the_same():
    """Neither its lease nor the time to send by stops a worker that slept."""
    with planted(
        (execute, "SEND_WITHIN", timedelta(days=40)),
        (MemoryStore, "_check_lease", lambda self, lease: None),
    ):
        yield


# ── unknown outcomes ────────────────────────────────────────────────────────────────


@defect
def no_answer_means_declined():
    """A time-out counts as a failure (Hyperswitch's payment sync)."""
    original = execute._conclude

    def conclude(context, prepared, evidence):
        if evidence.outcome is Outcome.UNKNOWN:
            evidence = attrs.evolve(evidence, outcome=Outcome.DECLINED)
        return original(context, prepared, evidence)

    with planted((execute, "_conclude", conclude)):
        yield


@defect
def time_turns_unknown_into_declined():
    """What is unknown for ten minutes is declined, whatever the gateway lists."""

    def unlisted(case, listing, sent_by):
        operations = case.transaction.operations.values()
        return tuple(o for o in operations if o.sent_at <= sent_by)

    with planted((absence, "_unlisted", unlisted)):
        yield


@defect
def not_found_means_declined_at_once():
    """What is not listed was never received, though it may still be on its way."""

    original = absence._unlisted

    def unlisted(case, listing, sent_by):
        return original(case, listing, case.now)

    with planted((absence, "_unlisted", unlisted)):
        yield


@defect
def the_in_flight_limit_counts_from_when_the_answer_is_read():
    """A recoverer slept over an old answer, and takes it for what stands now."""
    original = inquiry._apply

    def apply(machine, answer, asked, lease):
        now = yield inquiry.Now()
        if answer.presumption is not None:
            sent_by = now - inquiry.Recovery().in_flight_limit
            late = attrs.evolve(answer.presumption, sent_by=sent_by)
            answer = attrs.evolve(answer, presumption=late)
        return (yield from original(machine, answer, asked, lease))

    with planted((inquiry, "_apply", apply)):
        yield


@defect
def a_commit_that_raised_counts_as_written():
    """The store failed while it committed; the call goes out all the same."""

    def commit(change):
        try:
            yield Append(change)
        except CommitUnknown:
            return

    with planted(
        (execute, "commit", commit),
        (steps, "commit", commit),
    ):
        yield


@defect
def a_commit_that_raised_counts_as_not_written():
    """The caller hears that nothing happened, and the intent is in the store."""

    def commit(change):
        try:
            yield Append(change)
        except CommitUnknown as error:
            raise StoreFailed(str(error)) from error

    with planted(
        (execute, "commit", commit),
        (steps, "commit", commit),
    ):
        yield


# ── evidence ────────────────────────────────────────────────────────────────────────


@defect
def a_notification_is_applied_twice():
    """A repeated notification resolves the next operation that looks like the first."""
    original = notified.first_outcome

    def first_outcome(machine, transaction, evidence):
        return original(machine, attrs.evolve(transaction, concluded=()), evidence)

    with planted(
        (
            notified,
            "is_repeated",
            lambda transaction, evidence, attempts=None: False,
        ),
        (notified, "first_outcome", first_outcome),
    ):
        yield


@defect
def a_notification_counts_again_after_the_reply():
    """What a reply has ended, its notification ends in the next one that looks alike."""
    original = notified.first_outcome

    def first_outcome(machine, transaction, evidence):
        notified = tuple(item.command for item in transaction.notified)
        only = attrs.evolve(transaction, concluded=notified)
        return original(machine, only, evidence)

    with planted((notified, "first_outcome", first_outcome)):
        yield


@defect
def a_notification_needs_no_signature():
    """Whoever posts a notification is believed."""
    with planted(
        (wire_notification, "verify", lambda credentials, headers, body: None)
    ):
        yield


@defect
def what_is_pending_counts_as_done():
    """The gateway accepted a refund; the engine counts it."""
    original = replies.read_outcome

    def read(mstatus):
        return Outcome.SUCCEEDED if mstatus == "pending" else original(mstatus)

    with planted((replies, "read_outcome", read), (wire_lookup, "read_outcome", read)):
        yield


@defect
def the_portal_is_ignored():
    """What someone did in the gateway's portal is none of the engine's business."""
    original = Case.add

    def add(self, event):
        if not isinstance(event, External):
            original(self, event)

    with planted((Case, "add", add)):
        yield


@defect
def a_late_reply_overwrites_what_stands():
    """A reply is believed, whatever has been found out since the caller gave up."""
    original = execute._conclude

    def conclude(context, prepared, evidence):
        answer = yield from original(context, prepared, evidence)
        outcome = evidence.outcome
        if outcome is Outcome.UNKNOWN:
            outcome = Outcome.DECLINED
        return attrs.evolve(answer, status=execute.Status(outcome.value))

    with planted((execute, "_conclude", conclude)):
        yield


@defect
def a_decline_overrides_a_success():
    """The last evidence wins: a refusal undoes what had succeeded."""
    original = MemoryStore.load

    def load(self, key, transaction, agreement):
        loaded = original(self, key, transaction, agreement)
        recorded = loaded.recorded
        kept = self._transactions.get(transaction)
        if recorded is None or recorded.outcome != "succeeded" or not kept.operations:
            return loaded
        declined = replace(recorded, outcome="declined")
        return replace(loaded, recorded=declined)

    with planted((MemoryStore, "load", load)):
        yield


# ── the store ───────────────────────────────────────────────────────────────────────


@defect
def a_version_is_not_checked():
    """Two writers append to what they read, and one of them is lost."""
    with planted((MemoryStore, "_check", lambda self, transaction, version: None)):
        yield


@defect
def a_key_is_not_unique():
    """Two requests at once under one key both begin."""
    original = MemoryStore.append

    def append(self, change):
        if change.opens is not None:
            self._recorded.pop(change.opens.key, None)
        original(self, change)

    with planted((MemoryStore, "append", append)):
        yield


@defect
def the_trail_is_not_chained():
    """A record does not hold the hash of the one before."""
    original = chain.canonical

    def encode(body):
        return original({**body, "previous": ""})

    with planted((chain, "canonical", encode)):
        yield


@defect
def a_lease_is_given_to_everyone():
    """Two recoverers take up the same transaction."""
    original = MemoryStore.claim

    def claim(self, now, until, accounts):
        for leases in self._leases.values():
            leases.until = None
        return original(self, now, until, accounts)

    with planted((MemoryStore, "claim", claim)):
        yield
