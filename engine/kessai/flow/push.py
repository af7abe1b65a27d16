"""What a push does: settle at once where only one thing can be meant, else look up.

A push can come twice, late, out of order, or before the reply; it carries no id that
tells it from its repetition. So it is believed on its own only for a command's first
outcome. Afterwards it is a reason to ask the gateway, whose list can be counted.
"""

from datetime import datetime

from kessai.errors import SafeToResend, VersionConflict
from kessai.flow.effects import Flow, Now
from kessai.flow.look_up import look_up
from kessai.flow.steps import (
    ATTEMPTS,
    Context,
    contended,
    load,
    machine_of,
    read_trail,
    write,
)
from kessai.gateway import Evidence
from kessai.machine import (
    Discrepancy,
    Event,
    External,
    Machine,
    Operation,
    Transaction,
)
from kessai.machine.events import endings
from kessai.machine.settle import matching, settle


class PushNotConfirmed(SafeToResend):
    """The gateway could not be asked about its own push; it shall send it again."""


def receive(context: Context, evidence: Evidence) -> Flow[Transaction]:
    """Take in one notification of a push; safe to repeat.

    Raises:
        PushNotConfirmed: a look-up is needed and the gateway did not answer it.
        TrailBroken: the transaction's chain does not hold.

    """
    for _ in range(ATTEMPTS):
        transaction = yield from load(evidence.transaction)
        machine = yield from machine_of(context, transaction)
        now: datetime = yield Now()
        trail = yield from read_trail(evidence.transaction)
        if len(trail) != transaction.version:
            continue
        if machine is None:
            events = _unknown(trail, evidence, now)
        else:
            operation = _only_meaning(machine, transaction, trail, evidence)
            if operation is None:
                return (yield from _confirm(context, transaction))
            event = settle(machine, transaction, operation, evidence, now)
            events = [] if event is None else [event]
        try:
            transaction, _ = yield from write(machine, transaction, events)
        except VersionConflict:
            continue
        return transaction
    raise contended(evidence.transaction)


def _unknown(trail: list[Event], evidence: Evidence, now: datetime) -> list[Event]:
    """Evidence about a transaction that never came to be is kept, once."""
    for event in trail:
        if isinstance(event, Discrepancy) and _same(event.evidence, evidence):
            return []
    return [Discrepancy(now, "unknown_transaction", evidence)]


def _same(one: Evidence, other: Evidence) -> bool:
    return (one.command, one.outcome, one.amount, one.exchange) == (
        other.command,
        other.outcome,
        other.amount,
        other.exchange,
    )


def _only_meaning(
    machine: Machine, transaction: Transaction, trail: list[Event], evidence: Evidence
) -> Operation | None:
    command = evidence.command or ""
    candidates = matching(
        machine, transaction, command, evidence.amount, evidence.outcome
    )
    if evidence.look_up or len(candidates) != 1 or _ended_before(trail, command):
        return None
    # An update that runs alongside an application may have changed its amount, or must
    # be settled before it: the gateway's list tells of both.
    if (
        machine.commands[command].spec.is_application
        and len(transaction.operations) > 1
    ):
        return None
    return candidates[0]


def _ended_before(trail: list[Event], command: str) -> bool:
    """Whether an operation of `command` has ended in this transaction already."""
    ours = any(operation.command == command for operation, _ in endings(trail))
    return ours or any(
        isinstance(event, External) and event.command == command for event in trail
    )


def _confirm(context: Context, transaction: Transaction) -> Flow[Transaction]:
    finding = yield from look_up(context, transaction.id)
    if not finding.readable:
        message = (
            f"{transaction.id}: the gateway did not answer a look-up; send it again"
        )
        raise PushNotConfirmed(message)
    return finding.transaction
