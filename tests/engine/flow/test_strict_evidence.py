"""Nothing an adapter made enters a flow: evidence is built anew, or there is none."""

import enum
from datetime import UTC, datetime, timedelta, timezone

import attrs
import pytest

from kessai.errors import NotificationRefused
from kessai.gateway import (
    INQUIRY,
    Call,
    Evidence,
    ListedExchange,
    Mention,
    Outcome,
    Source,
)
from kessai.gateway_exchange import rebuilt, rebuilt_notification

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
CALL = Call(command="capture", transaction="order-1", lifecycle="one_time")
INQUIRY = attrs.evolve(CALL, command=INQUIRY)
EXCHANGE = ListedExchange(
    command="capture", outcome=Outcome.SUCCEEDED, amount=0, at=NOON
)
STATED = Evidence(
    source=Source.REPLY,
    transaction="order-1",
    command="capture",
    outcome=Outcome.SUCCEEDED,
    amount=0,
    references={"intent": "pi_1"},
    totals={"captured": 0},
    deadlines={"authorization": NOON},
    not_before=NOON,
)
LISTED = attrs.evolve(STATED, source=Source.INQUIRY, command=None, listing=(EXCHANGE,))
NOTIFIED = attrs.evolve(STATED, source=Source.NOTIFICATION)
NOTHING = Evidence(
    source=Source.REPLY,
    transaction="order-1",
    command="capture",
    outcome=Outcome.UNKNOWN,
    code="unreadable",
    disclosed={"page": "p"},
)


class Text(str):
    """Shows something else than it holds."""

    __slots__ = ()

    def __str__(self):
        return "something else"

    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


class Colour(enum.StrEnum):
    RED = "red"


class Trap:
    """Whoever looks at it regrets it."""

    def __getattribute__(self, name):
        raise RuntimeError(name)


def test_evidence_as_it_shall_be_is_built_anew_as_it_is():
    assert rebuilt(CALL, STATED) == STATED
    assert rebuilt(INQUIRY, LISTED) == LISTED
    assert rebuilt_notification(NOTIFIED) == NOTIFIED
    of_no_command = attrs.evolve(NOTIFIED, command=None, amount=None)
    assert rebuilt_notification(of_no_command) == of_no_command
    assert rebuilt_notification(Mention("intent", "pi_1")) == Mention("intent", "pi_1")


def test_what_is_built_holds_nothing_of_the_adapters():
    kept = rebuilt(CALL, STATED)
    assert kept.references is not STATED.references
    assert kept.totals is not STATED.totals
    assert kept.deadlines is not STATED.deadlines


def test_a_time_is_kept_in_utc():
    noon = NOON.astimezone(timezone(timedelta(hours=9)))
    kept = rebuilt(CALL, attrs.evolve(STATED, reported_at=noon))
    assert (kept.reported_at, kept.reported_at.tzinfo) == (NOON, UTC)


def test_a_text_of_another_class_becomes_the_plain_text_that_it_holds():
    kept = rebuilt(
        CALL, attrs.evolve(STATED, code=Colour.RED, references={Text("a"): Text("b")})
    )
    assert (kept.code, type(kept.code)) == ("red", str)
    ((kind, name),) = kept.references.items()
    assert [type(kind), type(name), kind, name] == [str, str, "a", "b"]


ABSURD = [
    {"amount": -1},
    {"amount": 2**64},
    {"amount": True},
    {"amount": 1.0},
    {"outcome": "succeeded"},
    {"found": 1},
    {"needs_inquiry": 0},
    {"never_sent": None},
    {"never_sent": True},  # and it succeeded
    {"reported_at": NOON.replace(tzinfo=None)},
    {"reported_at": datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))},
    {"reported_at": "2026-01-02T12:00:00Z"},
    {"not_before": NOON.replace(tzinfo=None)},
    {"note": "\ud800"},
    {"code": None},
    {"code": b"ok"},
    {"exchange": "\n"},
    {"source": Source.OPERATOR},
    {"listing": [EXCHANGE]},
    {"listing": (None,)},
    {"listing": (attrs.evolve(EXCHANGE, amount=-1),)},
    {"listing": (attrs.evolve(EXCHANGE, command="\ud800"),)},
    {"listing": (attrs.evolve(EXCHANGE, at=NOON.replace(tzinfo=None)),)},
    {"listing": (attrs.evolve(EXCHANGE, operation=7),)},
    {"references": {"intent": ""}},
    {"references": {"": "pi_1"}},
    {"references": {"intent": 1}},
    {"references": [("intent", "pi_1")]},
    {"totals": {"captured": -1}},
    {"totals": {"captured": True}},
    {"deadlines": {"authorization": NOON.replace(tzinfo=None)}},
]


@pytest.mark.parametrize("absurd", ABSURD, ids=str)
def test_of_evidence_that_cannot_be_built_only_what_it_is_about_is_left(absurd):
    stated = attrs.evolve(STATED, disclosed={"page": "p"}, **absurd)
    kept = rebuilt(CALL, stated)
    assert kept == NOTHING
    assert kept.disclosed == {"page": "p"}
    if "source" not in absurd:
        notified = attrs.evolve(stated, source=Source.NOTIFICATION)
        unread = attrs.evolve(NOTHING, source=Source.NOTIFICATION, needs_inquiry=True)
        assert rebuilt_notification(notified) == unread


@pytest.mark.parametrize(
    "other",
    [
        {"transaction": "order-2"},
        {"transaction": Text("order-3")},
        {"transaction": "\x00"},
        {"command": "refund"},
        {"command": None},
    ],
    ids=str,
)
def test_evidence_about_something_else_is_none(other):
    assert rebuilt(CALL, attrs.evolve(STATED, **other)) == NOTHING


def test_an_inquiry_is_about_no_command():
    of_one = attrs.evolve(LISTED, command="capture")
    nothing = attrs.evolve(NOTHING, source=Source.INQUIRY, command=None)
    assert rebuilt(INQUIRY, of_one) == nothing


def test_what_is_no_evidence_at_all_is_unknown():
    for given in (None, 7, {}, "order-1", CALL, Trap()):
        assert rebuilt(CALL, given) == NOTHING


def test_a_command_that_cannot_be_kept_is_left_out_and_one_that_is_none_stays_so():
    for command in ("\ud800", None, 7):
        stated = attrs.evolve(NOTIFIED, command=command, amount=-1)
        assert rebuilt_notification(stated).command is None


def test_a_notification_about_no_transaction_is_refused_in_these_words():
    nameless = [attrs.evolve(NOTIFIED, transaction=name) for name in ("", "\x00", None)]
    empty = [Mention("", "pi_1"), Mention("intent", ""), Mention("intent", 7)]
    for given in (*nameless, *empty, None, Trap()):
        with pytest.raises(NotificationRefused) as refused:
            rebuilt_notification(given)
        assert str(refused.value) == "notification refused: it names no transaction"
