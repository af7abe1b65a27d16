"""Mistakes with what a shop begins in a transaction of its own, and carries out after it."""

from importlib import import_module

from planting import defect, planted

from kessai.errors import NotCommitted, VersionConflict
from kessai.evidence.outcome import not_carried_out
from kessai.flow import Append, Now
from kessai.machine import Phase, Sent

execute = import_module("kessai.flow.execute")
recover = import_module("kessai.flow.recover")
sale = import_module("kessai.simulator.sale")
steps = import_module("kessai.flow.steps")
world = import_module("kessai.simulator.world")


@defect
def a_rollback_does_not_free_the_key():
    """The intent is committed on a connection of the engine's own."""
    original = sale.perform_within

    def perform_within(effect, within, clock):
        if isinstance(effect, Append):
            return within.store.append(effect.change)
        return original(effect, within, clock)

    with planted((sale, "perform_within", perform_within)):
        yield


@defect
def it_is_sent_before_that_is_durable():
    """A carrier sends, and writes afterwards that it was about to."""
    original = execute.send_prepared

    def send_prepared(context, machine, transaction, operation, lease=None):
        records = yield execute.History(transaction.id)
        begun = execute.begun_hash(records, operation)
        call = execute.call_for(machine, transaction, operation, begun)
        started = execute.operation_to_send(context, machine, transaction, call).started
        now = yield Now()
        adapter = context.adapter_of(transaction)
        yield from execute.carry_on(adapter, started, now + execute.SEND_WITHIN)
        return (yield from original(context, machine, transaction, operation, lease))

    with planted(
        (execute, "send_prepared", send_prepared),
        (recover, "send_prepared", send_prepared),
    ):
        yield


@defect
def who_loses_the_race_to_send_sends_too():
    """That another has written it counts as having written it oneself."""
    original = execute.write

    def write(machine, transaction, events, *given, **more):
        try:
            return (yield from original(machine, transaction, events, *given, **more))
        except VersionConflict:
            if not any(isinstance(event, Sent) for event in events):
                raise
        current = yield from steps.load(transaction.id)
        if not {event.operation for event in events} <= current.operations.keys():
            raise VersionConflict(transaction.id)
        return current, ()

    with planted((execute, "write", write)):
        yield


@defect
def a_recoverer_declines_what_was_sent():
    """What was prepared a while ago counts as never sent, whoever has sent it since."""
    original = recover._send_prepared

    def send_prepared(context, inquiry, recovery, lease):
        yield from original(context, inquiry, recovery, lease)
        name = inquiry.transaction.id
        transaction, machine = yield from recover.load_with_machine(context, name)
        now = yield Now()
        for operation in transaction.operations.values():
            is_old = now - operation.begun_at >= recovery.patience
            was_prepared = operation.sent_at > operation.begun_at
            if is_old and was_prepared and operation.phase is not Phase.PREPARED:
                ended = [not_carried_out(operation, now, "not_sent_in_time")]
                yield from recover.write(machine, transaction, ended, lease)
                return

    with planted((recover, "_send_prepared", send_prepared)):
        yield


@defect
def what_is_not_committed_is_carried_out():
    """A rolled back order is paid: who is to carry it out begins it, if it is not there."""
    original = world.carry_out_prepared

    def carry_out_prepared(context, prepared):
        try:
            return (yield from original(context, prepared))
        except NotCommitted:
            return (yield from execute.execute(context, prepared.command))

    with planted((world, "carry_out_prepared", carry_out_prepared)):
        yield
