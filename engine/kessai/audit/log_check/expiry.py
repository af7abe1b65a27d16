"""A row that states an expiry: the deadline that lapsed, or why none has."""

from datetime import datetime
from typing import Any

from kessai.evidence.outcome import EXPIRE, overdue, resolve_external
from kessai.gateway import Evidence, Outcome, Source
from kessai.machine import Lapsed, Machine, Reason, Transaction, evolve

_EXPIRED = Evidence(
    source=Source.OPERATOR, transaction="", command=EXPIRE, outcome=Outcome.SUCCEEDED
)


def expired(
    machine: Machine, transaction: Transaction, latest: datetime
) -> Transaction | Reason:
    """`transaction` after its deadlines passed by `latest`; else why none has.

    A log is judged by the lifecycle's own deadlines: what expired early is not allowed.
    """
    after = transaction
    for lapsed in overdue(machine, transaction, latest):
        after = evolve(machine, after, lapsed)
    if after is not transaction:
        return after
    event = resolve_external(machine, transaction, _EXPIRED, latest)
    if isinstance(event, Lapsed):
        deadline = machine.deadlines[event.deadline]
        ends = transaction.deadlines.get(deadline.name)
        values = {"deadline": "-" if ends is None else f"{ends:%Y-%m-%dT%H:%M:%SZ}"}
        return Reason("deadline_not_passed", deadline.rule, values)
    return _no_expiry(machine, transaction, event)


def _no_expiry(machine: Machine, transaction: Transaction, event: Any) -> Reason:
    deadlines = machine.deadlines.values()
    operations = transaction.operations.values()
    values = {
        "command": EXPIRE,
        "allowed": ", ".join(dict.fromkeys(f"{d.track}.{d.state}" for d in deadlines)),
        "states": transaction.status or "-",
        "operations": ", ".join(f"{o.command} ({o.phase})" for o in operations),
    }
    rule = ", ".join(dict.fromkeys(d.rule for d in deadlines))
    return Reason(event.reason, rule, {k: v for k, v in values.items() if v})
