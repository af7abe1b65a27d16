"""The trail of a transaction as people and programs read it: an event a row."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import attrs

from kessai.cli.tx.view import outcome_of
from kessai.machine import (
    Archived,
    Begun,
    Closed,
    Denied,
    Discrepancy,
    Event,
    External,
    Forgotten,
    Lapsed,
    Learned,
    Machine,
    Operation,
    Reason,
    Record,
    Reported,
    Resent,
    Resumed,
    Reversed,
    Sent,
    Transaction,
    evolve,
    read_events,
)
from kessai.machine.chain import AppliedEvent
from kessai.machine.events import KIND_OF
from kessai.spec import rule_codes

_FOR_PEOPLE = {"is_for_people": True}


@attrs.frozen(kw_only=True)
class Row:
    """One event: what happened to which command, by which rule, on what evidence.

    `amount` is in minor units; `stated` is the outcome or the reasons; `source`, `code`
    and `actor`, an operator's name, are the evidence's. `closed_by` is the number of the
    event that closed or explained a discrepancy. `outcome` and `reasons` are what
    `stated` puts into names, for people.
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
    actor: str = ""
    closed_by: int | None = None
    note: str = attrs.field(default="", metadata=_FOR_PEOPLE)
    outcome: str | None = attrs.field(default=None, metadata=_FOR_PEOPLE)
    reasons: tuple[Reason, ...] = attrs.field(default=(), metadata=_FOR_PEOPLE)


def read_rows(records: list[Record], machine: Machine | None) -> list[Row]:
    """The rows of a trail, checked against its chain while it is read.

    Raises:
        TrailBroken: the chain does not hold.

    """
    rows: list[Row] = []
    operations: dict[str, Operation] = {}
    before = Transaction("")
    for number, event in enumerate(read_events(records), 1):
        if isinstance(event, Begun):
            operations[event.operation.id] = event.operation
        rows.append(read_row(number, event, operations, machine))
        after = evolve(machine, before, event)
        for closed in AppliedEvent(event, machine, before, after).closes:
            rows[closed - 1] = attrs.evolve(rows[closed - 1], closed_by=number)
        before = after
    return rows


def row_data(row: Row) -> dict[str, Any]:
    """A row as JSON shows it; what it does not have is left out."""
    return {
        name: value
        for name, value in attrs.asdict(row, filter=_is_for_all).items()
        if value is not None and value != ""
    }


def _is_for_all(field: "attrs.Attribute[Any]", _value: object) -> bool:
    return not field.metadata


def trail_rules(
    rows: Iterable[Row], machine: Machine | None, language: str
) -> dict[str, str]:
    """The sentence of each rule code that the rows of a trail name."""
    codes = dict.fromkeys(code for row in rows for code in rule_codes(row.rule))
    rules = machine.lifecycle.rules if machine else {}
    return {c: rules[c].text.in_language(language) for c in codes if c in rules}


def read_row(
    number: int,
    event: Event,
    operations: Mapping[str, Operation],
    machine: Machine | None,
) -> Row:
    """The row of one event; `operations` are those begun so far, by their ids."""
    evidence = getattr(event, "evidence", None)
    signed = event if isinstance(event, Forgotten) else evidence
    return Row(
        number=number,
        at=event.at,
        event=KIND_OF[type(event)],
        source=evidence.source if evidence else "",
        code=evidence.code or "" if evidence else "",
        actor=signed.actor if signed else "",
        note=signed.note if signed else "",
        **_particulars(event, operations, machine),
    )


def _particulars(
    event: Event, operations: Mapping[str, Operation], machine: Machine | None
) -> dict[str, Any]:
    """What this kind of event has besides its time and evidence."""
    match event:
        case Begun() | Sent() | Resent() | Resumed() | Reported():
            return _of_operation(event, operations, machine)
        case External(command=name, amount=amount):
            return _command(name, amount, machine)
        case Reversed(command=name, amount=amount):
            return _command(name, amount, machine, taken_back=True)
        case Denied():
            return _denied(event)
        case Discrepancy(reason=reason, evidence=evidence):
            command = evidence.command or ""
            return {"command": command, "amount": evidence.amount, "stated": reason}
        case Lapsed() | Closed() | Forgotten() | Archived() | Learned():
            return _statement(event, machine)


def _statement(
    event: Lapsed | Closed | Forgotten | Archived | Learned, machine: Machine | None
) -> dict[str, Any]:
    match event:
        case Lapsed(deadline=name):
            found = machine.deadlines.get(name) if machine else None
            return {"stated": name, "rule": found.rule if found else ""}
        case Closed(discrepancy=closed, evidence=evidence):
            return {"stated": f"{closed}: {evidence.note}"}
        case Forgotten(events=events, note=note):
            return {"stated": f"{', '.join(events)}: {note}"}
        case Archived(archive=archive, actor=actor):
            return {"stated": f"{archive}: {actor}"}
        case Learned(evidence=evidence):
            return {"stated": ", ".join((*evidence.references, *evidence.deadlines))}


def _of_operation(
    event: Begun | Sent | Resent | Resumed | Reported,
    operations: Mapping[str, Operation],
    machine: Machine | None,
) -> dict[str, Any]:
    name = event.operation.id if isinstance(event, Begun) else event.operation
    found: dict[str, Any] = {}
    if (begun := operations.get(name)) is not None:
        found = _command(begun.command, begun.amount, machine)
    if isinstance(event, Reported):
        note = event.evidence.note
        found["stated"] = f"{event.outcome}: {note}" if note else event.outcome.value
        found["outcome"] = outcome_of(event.outcome, event.evidence)
    return found


def _command(
    name: str, amount: int | None, machine: Machine | None, *, taken_back: bool = False
) -> dict[str, Any]:
    rule = ""
    if machine is not None:
        declared = machine.reversals if taken_back else machine.commands
        rule = declared[name].spec.rule if name in declared else ""
    return {"command": name, "amount": amount, "rule": rule}


def _denied(event: Denied) -> dict[str, Any]:
    codes = (code for reason in event.reasons for code in rule_codes(reason.rule))
    return {
        "command": event.command,
        "amount": event.amount,
        "stated": ", ".join(reason.code for reason in event.reasons),
        "rule": ", ".join(dict.fromkeys(codes)),
        "reasons": event.reasons,
    }
