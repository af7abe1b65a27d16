"""What an event looks like on disk: a lasting contract, so it is compared word for word.

Fields without a value are left out, and read back as they were.
"""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from kessai import Operation
from kessai.gateway import Evidence, ListedExchange, Outcome, Source
from kessai.machine import (
    Begun,
    Closed,
    Denied,
    Discrepancy,
    External,
    Forgotten,
    Lapsed,
    Reason,
    Reported,
    Resent,
)
from kessai.machine.events import KIND_OF, event_data, read_event

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WRITTEN = "2026-01-02T03:04:05Z"


def operation(amount=None, parameters=None):
    return Operation(
        "order-1.1", "authorize", "key-1", "f" * 64, amount, parameters or {}, AT
    )


def evidence(**more):
    more = {"outcome": Outcome.SUCCEEDED, "command": "capture", **more}
    return Evidence(source=Source.INQUIRY, transaction="order-1", **more)


OPERATION = {
    "id": "order-1.1",
    "command": "authorize",
    "key": "key-1",
    "request": "f" * 64,
    "parameters": {},
    "begun_at": WRITTEN,
}
EVIDENCE = {
    "source": "inquiry",
    "transaction": "order-1",
    "command": "capture",
    "outcome": "succeeded",
}
EVENTS = [
    (Begun(AT, operation()), {"at": WRITTEN, "operation": OPERATION}),
    (
        Begun(
            AT, operation(0, {"note": "x"}), "agreement-1", ("consent", "payment"), 7
        ),
        {
            "at": WRITTEN,
            "operation": {**OPERATION, "amount": 0, "parameters": {"note": "x"}},
            "agreement": "agreement-1",
            "opens": ["consent", "payment"],
            "agreement_version": 7,
        },
    ),
    (Resent(AT, "order-1.1"), {"at": WRITTEN, "operation": "order-1.1"}),
    (
        Reported(AT, "order-1.1", Outcome.SUCCEEDED, evidence()),
        {
            "at": WRITTEN,
            "operation": "order-1.1",
            "outcome": "succeeded",
            "evidence": EVIDENCE,
        },
    ),
    (
        Reported(
            AT,
            "order-1.1",
            Outcome.DECLINED,
            evidence(
                outcome=Outcome.DECLINED,
                code="NG",
                amount=0,
                exchange="x-1",
                reported_at=AT,
                found=False,
                needs_inquiry=True,
                never_sent=True,
                actor="sato",
                note="seen",
            ),
        ),
        {
            "at": WRITTEN,
            "operation": "order-1.1",
            "outcome": "declined",
            "evidence": {
                **EVIDENCE,
                "outcome": "declined",
                "code": "NG",
                "amount": 0,
                "exchange": "x-1",
                "reported_at": WRITTEN,
                "found": False,
                "needs_inquiry": True,
                "never_sent": True,
                "actor": "sato",
                "note": "seen",
            },
        },
    ),
    (
        External(AT, "cancel", None, evidence()),
        {"at": WRITTEN, "command": "cancel", "evidence": EVIDENCE},
    ),
    (
        External(AT, "refund", 30, evidence()),
        {"at": WRITTEN, "command": "refund", "amount": 30, "evidence": EVIDENCE},
    ),
    (Lapsed(AT, "authorization"), {"at": WRITTEN, "deadline": "authorization"}),
    (
        Lapsed(AT, "authorization", evidence()),
        {"at": WRITTEN, "deadline": "authorization", "evidence": EVIDENCE},
    ),
    (
        Discrepancy(AT, "not_in_lifecycle", evidence(command=None)),
        {
            "at": WRITTEN,
            "reason": "not_in_lifecycle",
            "evidence": {**EVIDENCE, "command": None},
        },
    ),
    (
        Discrepancy(AT, "amount_differs", evidence(), "order-1.1"),
        {
            "at": WRITTEN,
            "reason": "amount_differs",
            "evidence": EVIDENCE,
            "operation": "order-1.1",
        },
    ),
    (
        Closed(AT, 3, evidence()),
        {"at": WRITTEN, "discrepancy": 3, "evidence": EVIDENCE},
    ),
    (
        Forgotten(AT, "sato", "asked for", {"1": "f" * 64}),
        {
            "at": WRITTEN,
            "actor": "sato",
            "note": "asked for",
            "events": {"1": "f" * 64},
        },
    ),
    (
        Denied(AT, "capture", "key-1", "f" * 64, (Reason("a", "O1", {"most": 1}),)),
        {
            "at": WRITTEN,
            "command": "capture",
            "key": "key-1",
            "request": "f" * 64,
            "reasons": [{"code": "a", "rule": "O1", "values": {"most": 1}}],
        },
    ),
    (
        Denied(AT, "capture", "key-1", "", (Reason("a", "O1"),), 0),
        {
            "at": WRITTEN,
            "command": "capture",
            "key": "key-1",
            "request": "",
            "reasons": [{"code": "a", "rule": "O1", "values": {}}],
            "amount": 0,
        },
    ),
]


@pytest.mark.parametrize(("event", "written"), EVENTS)
def test_an_event_is_written_without_empty_fields_and_read_back(event, written):
    assert json.loads(msgspec.json.encode(event_data(event))) == written
    assert read_event(KIND_OF[type(event)], written) == event


def test_evidence_that_leaves_its_command_out_speaks_of_the_whole_transaction():
    short = {name: value for name, value in EVIDENCE.items() if name != "command"}
    written = {"at": WRITTEN, "reason": "unknown_transaction", "evidence": short}
    assert read_event("discrepancy", written) == Discrepancy(
        AT, "unknown_transaction", evidence(command=None)
    )


def test_neither_facts_nor_what_is_for_the_caller_alone_is_written():
    listed = ListedExchange(command="capture", outcome=Outcome.SUCCEEDED)
    stated = evidence(listing=(listed,), disclosed={"address": "Chiyoda 1-1"})
    assert event_data(External(AT, "capture", 1, stated))["evidence"] == EVIDENCE
