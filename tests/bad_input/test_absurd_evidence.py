"""An adapter may say what no store can hold: then the outcome is unknown, and no crash."""

from datetime import UTC, datetime

import attrs
import pytest

from kessai import (
    Command,
    Engine,
    MemoryStore,
    Missing,
    NotificationNotConfirmed,
    Recovery,
    SQLiteStore,
)
from kessai.errors import NotificationRefused
from kessai.gateway import (
    INQUIRY,
    Evidence,
    ListedExchange,
    Outcome,
    Reply,
    Request,
    Source,
)
from kessai.limits import NOTHING_IN_FLIGHT

ABSURD = {
    "2 to the 63": {"amount": 2**63},
    "2 to the 64": {"amount": 2**64},
    "the limit": {"amount": 10**15},
    "5,000 digits": {"amount": 10**5000},
    "less than nothing": {"amount": -1},
    "a float": {"amount": 100.0},
    "not a number": {"amount": float("nan")},
    "true": {"amount": True},
    "digits": {"amount": "100"},
    "half a pair in an id": {"exchange": "\ud800"},
    "NUL in an id": {"exchange": "x\0"},
    "a page as an id": {"exchange": "<html>" * 1000},
    "an outcome of its own": {"outcome": "succeeded"},
}
ONLY_EVIDENCE = {
    "half a pair in a code": {"code": "\ud800"},
    "no code": {"code": None},
    "10 MB of code": {"code": "x" * 10_000_000},
    "a time without a zone": {"reported_at": datetime(2026, 1, 1)},  # noqa: DTZ001
    "a time in words": {"reported_at": "now"},
    "half a pair in a command": {"command": "\udfff"},
    "half a pair in a name": {"actor": "\udfff"},
}
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
AT_ONCE = Recovery(
    patience=BEGIN - BEGIN,
    in_flight_limit=BEGIN - BEGIN,
    waits=NOTHING_IN_FLIGHT,
    missing=Missing.RESEND,
)


@attrs.define
class Strange:
    """An adapter by somebody else, who forgot what an amount is."""

    name = "strange"
    reply: dict = attrs.field(factory=dict)
    listing: tuple = ()

    def request(self, call):
        return Request(method="POST", url="https://gateway.example/" + call.command)

    def evidence(self, call, reply):
        if call.command == INQUIRY:
            listing = tuple(self.listing)
            return self._said(
                call, command=None, source=Source.INQUIRY, listing=listing
            )
        disclosed = {"page": "for your eyes"}
        return self._said(call, disclosed=disclosed, **self.reply)

    def _said(self, call, **fields):
        said = {
            "source": Source.REPLY,
            "transaction": call.transaction,
            "command": call.command,
            "outcome": Outcome.SUCCEEDED,
        }
        return Evidence(**{**said, **fields})

    def notification(self, headers, body):
        fields = {
            "source": Source.NOTIFICATION,
            "transaction": "order",
            "command": "authorize",
            "outcome": Outcome.SUCCEEDED,
        }
        return (Evidence(**{**fields, **self.reply}),)


class Wire:
    def __init__(self):
        self.sent = []

    def send(self, request, *deadline):
        self.sent.append(request.url.rpartition("/")[2])
        return Reply(status=200)

    def close(self):
        pass


@pytest.fixture(params=["memory", "sqlite"])
def engine(request, tmp_path):
    store = MemoryStore()
    if request.param == "sqlite":
        store = SQLiteStore(tmp_path / "any.db")
    with Engine(
        adapters=[Strange()], store=store, transport=Wire(), clock=lambda: BEGIN
    ) as engine:
        yield engine


def strange(engine):
    (adapter,) = engine.context.adapters.values()
    return adapter.adapter


def apply(engine):
    command = Command("authorize", "order", key="k", lifecycle="one_time", amount=100)
    return engine.execute(command)


@pytest.mark.parametrize(
    "said", [*ABSURD.values(), *ONLY_EVIDENCE.values()], ids=[*ABSURD, *ONLY_EVIDENCE]
)
def test_a_reply_that_cannot_be_kept_leaves_the_outcome_unknown(engine, said):
    strange(engine).reply = said

    answer = apply(engine)

    assert (answer.status, answer.evidence.code) == ("unknown", "unreadable")
    assert answer.transaction.amounts["authorizing"] == 100  # still held
    assert answer.disclosed == {"page": "for your eyes"}
    strange(engine).listing = [
        ListedExchange(command="authorize", outcome=Outcome.SUCCEEDED)
    ]
    (resolved,) = engine.recover_transaction("order", AT_ONCE)
    assert resolved.status == "succeeded"


@pytest.mark.parametrize("said", ABSURD.values(), ids=ABSURD)
def test_a_inquiry_that_cannot_be_kept_resolves_nothing_and_nothing_is_sent_again(
    engine, said
):
    strange(engine).reply = {"outcome": Outcome.UNKNOWN}
    apply(engine)
    before = engine.transaction("order")
    listed = {"command": "authorize", "outcome": Outcome.SUCCEEDED, **said}
    strange(engine).listing = [
        ListedExchange(command="capture", outcome=Outcome.UNKNOWN)
    ]
    strange(engine).listing.append(ListedExchange(**listed))

    (answer,) = engine.recover_transaction("order", AT_ONCE)

    assert answer.status == "unknown"
    assert engine.transaction("order").amounts == before.amounts
    assert engine._transport.sent.count("authorize") == 1
    strange(engine).listing = [
        ListedExchange(command="authorize", outcome=Outcome.SUCCEEDED)
    ]
    assert engine.recover_transaction("order", AT_ONCE)[0].status == "succeeded"


@pytest.mark.parametrize(
    "said", [*ABSURD.values(), *ONLY_EVIDENCE.values()], ids=[*ABSURD, *ONLY_EVIDENCE]
)
def test_a_notification_that_cannot_be_kept_is_a_reason_to_ask(engine, said):
    strange(engine).reply = {"outcome": Outcome.PENDING}
    apply(engine)
    strange(engine).reply = said
    strange(engine).listing = [
        ListedExchange(command="authorize", outcome=Outcome.SUCCEEDED)
    ]

    engine.receive_notification({}, b"")

    assert engine.transaction("order").states == {"payment": "authorized"}
    assert engine._transport.sent == ["authorize", "inquiry"]


@pytest.mark.parametrize("name", ["", "\ud800", "x\0", "x" * 10_000, None, 7])
def test_a_notification_about_no_transaction_is_refused(engine, name):
    apply(engine)
    before = list(engine.store.trails())
    strange(engine).reply = {"transaction": name}
    with pytest.raises(NotificationRefused, match="names no transaction"):
        engine.receive_notification({}, b"")
    assert list(engine.store.trails()) == before


def test_a_notification_of_absurd_amount_about_what_nobody_knows_is_kept_without_it(
    engine,
):
    strange(engine).reply = {"amount": 2**64, "transaction": "stranger"}
    try:
        engine.receive_notification({}, b"")
    except NotificationNotConfirmed:
        return
    (trail,) = [
        records for name, records in engine.store.trails() if name == "stranger"
    ]
    assert b"18446744073709551616" not in trail[0].body
