"""The trail of a transaction as people and programs read it: an event a row."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import attrs

from kessai.machine import (
    Begun,
    Closed,
    Denied,
    Discrepancy,
    Event,
    External,
    Lapsed,
    Learned,
    Machine,
    Operation,
    Record,
    Reported,
    Resent,
    Resumed,
    Reversed,
    read_events,
)
from kessai.machine.events import KIND_OF
from kessai.spec import rule_codes


@attrs.frozen(kw_only=True)
class Row:
    """One event: what happened to which command, by which rule, on what evidence.

    `amount` is in minor units; `stated` is the outcome or the reasons; `source` and
    `code` are the evidence's.
    """

    number: int
    at: datetime
    event: str
    command: str = ""
    amount: int | None = None
    stated: str = ""
    rule: str = ""
    source: str = ""
    code: str = ""


def read_rows(records: list[Record], machine: Machine | None) -> Iterator[Row]:
    """The rows of a trail, checked against its chain while it is read.

    Raises:
        TrailBroken: the chain does not hold.

    """
    operations: dict[str, Operation] = {}
    for record, event in zip(records, read_events(records), strict=True):
        if isinstance(event, Begun):
            operations[event.operation.id] = event.operation
        yield _row(record.number, event, operations, machine)


def row_data(row: Row) -> dict[str, Any]:
    """A row as JSON shows it; what it does not have is left out."""
    return {
        name: value
        for name, value in attrs.asdict(row).items()
        if value is not None and value != ""
    }


def _row(
    number: int,
    event: Event,
    operations: dict[str, Operation],
    machine: Machine | None,
) -> Row:
    evidence = getattr(event, "evidence", None)
    return Row(
        number=number,
        at=event.at,
        event=KIND_OF[type(event)],
        source=evidence.source if evidence else "",
        code=(evidence.code or evidence.actor) if evidence else "",
        **_particulars(event, operations, machine),
    )


def _particulars(
    event: Event, operations: dict[str, Operation], machine: Machine | None
) -> dict[str, Any]:
    """What this kind of event has besides its time and evidence."""
    match event:
        case Begun() | Resent() | Resumed() | Reported():
            return _of_operation(event, operations, machine)
        case Closed() | Learned():
            return {"stated": _statement(event)}
        case (
            External(command=name, amount=amount)
            | Reversed(command=name, amount=amount)
        ):
            rule = _rule(machine, name, taken_back=isinstance(event, Reversed))
            return {"command": name, "amount": amount, "rule": rule}
        case Lapsed(deadline=name):
            return {"stated": name, "rule": _deadline_rule(machine, name)}
        case Denied():
            return _denied(event)
        case Discrepancy(reason=reason, evidence=evidence):
            command = evidence.command or ""
            return {"command": command, "amount": evidence.amount, "stated": reason}


def _statement(event: Closed | Learned) -> str:
    evidence = event.evidence
    if isinstance(event, Closed):
        return f"{event.discrepancy}: {evidence.note}"
    return ", ".join((*evidence.references, *evidence.deadlines))


def _of_operation(
    event: Begun | Resent | Resumed | Reported,
    operations: dict[str, Operation],
    machine: Machine | None,
) -> dict[str, Any]:
    if isinstance(event, Begun):
        return _of(event.operation, machine)
    found = _of(operations.get(event.operation), machine)
    if isinstance(event, Reported):
        note = event.evidence.note
        found["stated"] = f"{event.outcome}: {note}" if note else event.outcome.value
    return found


def _of(operation: Operation | None, machine: Machine | None) -> dict[str, Any]:
    if operation is None:
        return {}
    return {
        "command": operation.command,
        "amount": operation.amount,
        "rule": _rule(machine, operation.command),
    }


def _denied(event: Denied) -> dict[str, Any]:
    codes = (code for reason in event.reasons for code in rule_codes(reason.rule))
    return {
        "command": event.command,
        "amount": event.amount,
        "stated": ", ".join(reason.code for reason in event.reasons),
        "rule": ", ".join(dict.fromkeys(codes)),
    }


def _rule(machine: Machine | None, name: str, *, taken_back: bool = False) -> str:
    if machine is None:
        return ""
    found = (machine.reversals if taken_back else machine.commands).get(name)
    return found.spec.rule if found else ""


def _deadline_rule(machine: Machine | None, name: str) -> str:
    found = machine.deadlines.get(name) if machine else None
    return found.rule if found else ""
