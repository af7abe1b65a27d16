"""A log is judged exactly as the machine would: nothing more, nothing less.

The thousand orders of the tests' data are carried out by the engine and written down as
another system would log them. All of it must be allowed. Then steps are taken away,
doubled and raised, and each time the verdicts must be those of `decide`.
"""

import csv
import io
import random  # noqa: TID251 - seeded below
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest

from kessai import Command, Denial, Transaction, load_shipped
from kessai.audit.log_check.history import HistoryCheck
from kessai.cli.run.carry_out import RunClock, carry_out
from kessai.cli.run.command_file import opened
from kessai.cli.terminal.gateways import wired
from kessai.cli.terminal.options import Asked
from kessai.cli.terminal.stopping import Stop
from kessai.gateway import Evidence, Outcome, Source
from kessai.machine import (
    Begun,
    Denied,
    Machines,
    Reported,
    decide,
    evolve,
    read_record,
)
from kessai.machine.decide import opened_tracks, unknown_transaction
from kessai.shell import shipped_lifecycles

ORDERS = Path(__file__).parents[2] / "data" / "orders-1000.jsonl"
LIFECYCLES = "one_time recurring charge"
HEADER = "order,command,time,amount,outcome,lifecycle,agreement,frequency"
SUCCEEDED = Evidence(
    source=Source.REPLY, transaction="", command=None, outcome=Outcome.SUCCEEDED
)


@attrs.frozen
class Row:
    order: str
    command: str
    at: object
    amount: int | None
    outcome: str
    agreement: str | None
    parameters: dict


@pytest.fixture(scope="session")
def trails():
    """What the engine's trails hold, as rows, by order."""
    asked = {}
    clock = RunClock(datetime.min.replace(tzinfo=UTC))
    with (
        opened(str(ORDERS), Machines(shipped_lifecycles())) as commands,
        wired(Asked(db="memory:"), clock) as wiring,
    ):
        commands.check()
        lines = list(commands.lines())
        asked = {line.command.key: line.command for line in lines}
        halt = carry_out(wiring, clock, iter(lines), Stop(), lambda: None)
        assert halt is None
        trails = list(wiring.engine.store.trails())
    return {name: list(as_rows(name, records, asked)) for name, records in trails}


def events_of(records):
    hashes = ["", *(record.hash for record in records)]
    return [read_record(r, before).event for r, before in zip(records, hashes)]  # noqa: B905


def as_rows(name, records, asked):
    begun = {}
    for event in events_of(records):
        if isinstance(event, Begun):
            begun[event.operation.id] = event.operation
            continue
        outcome = "denied"
        if isinstance(event, Reported):
            if event.outcome is Outcome.PENDING:
                continue  # on the gateway's page; a later report ends it
            operation, outcome = begun[event.operation], event.outcome.value
        else:
            assert isinstance(event, Denied)
            operation = event
        command = asked[operation.key]
        yield Row(
            name,
            command.name,
            event.at,
            operation.amount,
            outcome,
            command.agreement,
            dict(command.parameters),
        )


def lifecycle_of(row):
    if row.command == "reauthorize":
        return "charge"
    if row.command == "authorize":
        return "recurring" if "frequency" in row.parameters else "one_time"
    return ""


def text_of(rows):
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADER.split(","))
    for row in rows:
        frequency = row.parameters.get("frequency")
        writer.writerow(
            [
                row.order,
                row.command,
                row.at.isoformat(),
                "" if row.amount is None else row.amount,
                row.outcome,
                lifecycle_of(row),
                row.agreement or "",
                "" if frequency is None else "{unit} {value}".format(**frequency),
            ]
        )
    return out.getvalue()


def by_the_machine(rows):
    """The verdict of `decide` on each row, by its line; what is denied changes nothing."""
    machines = Machines(load_shipped(name) for name in LIFECYCLES.split())
    held = {}
    denied = []
    numbered = sorted(enumerate(rows, 2), key=lambda pair: (pair[1].at, pair[0]))
    for line, row in numbered:
        if row.outcome == "denied":
            continue
        command = Command(
            row.command,
            row.order,
            key="key",
            lifecycle=lifecycle_of(row) or None,
            agreement=row.agreement,
            amount=row.amount,
            parameters=row.parameters,
        )
        machine, transaction = held.get(row.order, (None, Transaction(row.order)))
        machine = machines.for_opening(command) or machine
        _, agreement = held.get(row.agreement, (None, None))
        if machine is None:
            verdict = unknown_transaction(command)
        else:
            verdict = decide(machine, transaction, command, row.at, agreement)
        if isinstance(verdict, Denial):
            denied.append(f"{line} {row.command} {' '.join(verdict.codes)}")
            continue
        opens = opened_tracks(machine, verdict)
        begun = Begun(row.at, verdict, row.agreement, opens)
        report = Reported(row.at, verdict.id, Outcome.SUCCEEDED, SUCCEEDED)
        for event in (begun, report):
            transaction = evolve(machine, transaction, event)
        held[row.order] = machine, transaction
    return sorted(denied, key=lambda found: int(found.split()[0]))


def everything(trails):
    return [row for rows in trails.values() for row in rows]


def test_what_the_engine_carried_out_is_all_allowed(check, trails):
    rows = everything(trails)
    assert len(rows) > 900
    assert any(row.outcome == "denied" for row in rows)
    checked_log = check(text_of(rows), LIFECYCLES, header=None)
    assert checked_log.bad == []
    assert checked_log.violations == []
    assert checked_log.findings.holds
    assert checked_log.findings.refused_though_allowed == 0
    assert checked_log.findings.refused == sum(row.outcome == "denied" for row in rows)


def bent(rows, draw):
    """The rows of one order with a step removed, doubled, raised or swapped."""
    rows = list(rows)
    index = draw.randrange(len(rows))
    row = rows[index]
    match draw.randrange(4):
        case 0:
            del rows[index]
        case 1:
            rows.insert(index, row)
        case 2 if row.amount is not None:
            rows[index] = attrs.evolve(row, amount=row.amount + draw.choice((1, 10**7)))
        case _:
            other = draw.choice(rows)
            rows[index] = attrs.evolve(row, at=other.at)
    return rows


@pytest.mark.parametrize("seed", range(6))
def test_bent_histories_are_judged_as_the_machine_would(check, trails, seed):
    draw = random.Random(seed)  # noqa: S311 - no secret
    rows = [
        row
        for history in trails.values()
        if any(row.outcome != "denied" for row in history)
        for row in bent(history, draw)
    ]
    draw.shuffle(rows)
    checked_log = check(text_of(rows), LIFECYCLES, header=None)
    expected = by_the_machine(rows)
    assert checked_log.violations == expected
    findings = checked_log.findings
    assert findings.allowed + len(expected) + findings.refused == findings.events
    assert len({" ".join(line.split()[1:]) for line in expected}) > 8


def test_shortcuts_are_taken_for_nearly_every_row_and_change_nothing(
    check, trails, monkeypatch
):
    counts = defaultdict(int)
    real = HistoryCheck._in_full

    def in_full(walk, entry):
        counts["in full"] += 1
        real(walk, entry)

    monkeypatch.setattr(HistoryCheck, "_in_full", in_full)
    rows = [row for row in everything(trails) if row.outcome == "succeeded"]
    plain = [attrs.evolve(row, agreement=None) for row in rows]
    text = text_of(plain).replace("agreement,frequency", "x,y")
    checked_log = check(text, LIFECYCLES, header=None)
    assert checked_log.violations == []
    assert counts["in full"] < len(rows) / 20
