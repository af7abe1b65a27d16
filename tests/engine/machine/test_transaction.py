"""A transaction as a value: what it shows, what stays as it was, when it is due."""

from datetime import timedelta

import attrs
import pytest

from kessai import Phase, Transaction
from kessai.gateway import Outcome, Source
from kessai.limits import REPLY_WITHIN
from kessai.machine import External
from kessai.machine.transaction import (
    REMEMBERED,
    Notified,
    OpenDiscrepancy,
    Unclaimed,
)

SECOND, DAYS_2 = timedelta(seconds=1), timedelta(days=2)
CAPTURED = Notified("capture", Outcome.SUCCEEDED, 900, "exchange-1")
ASIDE = OpenDiscrepancy(
    "operation_open", Source.INQUIRY, "cancel", Outcome.SUCCEEDED, None, "exchange-2"
)


@pytest.fixture
def whole(story):
    """A transaction with a value of its own in every field."""
    past = story("recurring", "authorize 900 with_capture, refund? 100", "order-7")
    transaction = attrs.evolve(
        past.transaction,
        agreement="agreement-1",
        discrepancies={3: ASIDE},
        notified=(CAPTURED,),
        references={"order": "o_1"},
        account="merchant/test",
        denials=2,
        unclaimed=(Unclaimed(3, "refund", 400),),
        archived="2025.db",
    )
    blank = Transaction("")
    for field in attrs.fields(Transaction):
        assert getattr(transaction, field.name) != getattr(blank, field.name)
    return transaction


CHANGES = [
    {},
    {"states": {"payment": "refunded"}},
    {"amounts": {"captured": 1}},
    {"deadlines": {}},
    {"operations": {}},
    {"discrepancies": {3: ASIDE, 5: ASIDE}},
    {"discrepancies": {}},
    {"concluded": ("authorize", "capture")},
    {"notified": ()},
    {"references": {}},
    {"denials": 3},
    {"unclaimed": ()},
    {"archived": "2026.db"},
    {"states": {}, "amounts": {}, "operations": {}},
]


@pytest.mark.parametrize("changes", CHANGES)
def test_the_next_version_has_what_was_given_and_the_rest_as_it_was(whole, changes):
    expected = attrs.evolve(whole, version=whole.version + 1, **changes)
    assert whole.next(**changes) == expected


def test_a_transaction_names_each_command_once_that_had_an_outcome(story):
    past = story("one_time", "authorize 100")
    assert past.transaction.concluded == ("authorize",)
    past.tell("capture! 60")
    past.begin("capture", 70)
    assert past.transaction.concluded == ("authorize", "capture")
    past.resolve(*past.transaction.operations.values())
    assert past.transaction.concluded == ("authorize", "capture")


def test_what_happened_outside_is_an_outcome_of_its_command_too(story):
    past = story("one_time", "authorize 100")
    past.append(External(past.now, "capture", 60, past.evidence("capture", amount=60)))
    assert past.transaction.concluded == ("authorize", "capture")


def test_the_last_notifications_that_ended_an_operation_are_remembered(story):
    past = story("one_time", "authorize 900, capture")
    for number in range(REMEMBERED + 2):
        refund = past.begin("refund", 1)
        past.resolve(
            refund, Outcome.PENDING, source=Source.NOTIFICATION, exchange=f"p-{number}"
        )
        outcome = Outcome.DECLINED if number % 2 else Outcome.SUCCEEDED
        past.resolve(
            refund, outcome, source=Source.NOTIFICATION, exchange=f"x-{number}"
        )
    assert past.transaction.notified == tuple(
        Notified(
            "refund",
            Outcome.DECLINED if number % 2 else Outcome.SUCCEEDED,
            None,
            f"x-{number}",
        )
        for number in range(2, REMEMBERED + 2)
    )


@pytest.mark.parametrize("more", [{"source": Source.REPLY}, {"exchange": None}])
def test_only_notifications_that_can_be_known_again_are_remembered(story, more):
    past = story("one_time", "authorize? 100")
    (operation,) = past.transaction.operations.values()
    past.resolve(
        operation, **{"source": Source.NOTIFICATION, "exchange": "x-1", **more}
    )
    assert past.transaction.notified == ()


def test_a_new_head_changes_nothing_else(whole):
    assert whole.with_head("abc") == attrs.evolve(whole, head="abc")


def test_a_transaction_exists_from_its_opening_on(whole):
    assert whole.exists
    assert not Transaction("order-1").exists
    assert not Transaction("order-1", discrepancies={1: ASIDE}, version=1).exists


def test_the_status_names_the_state_of_each_track(whole):
    assert whole.status == "consent.consented payment.captured"
    assert Transaction("order-1").status == ""


def test_expressions_may_name_amounts_flags_and_the_amount_at_hand(whole):
    known = {**whole.amounts, **whole.flags}
    assert (known["captured"], known["with_capture"]) == (900, 1)
    assert "amount" not in known
    assert whole.names(7) == {**known, "amount": 7}
    assert whole.names(None) == whole.names() == {**known, "amount": 0}


def open_operations(story, *phases):
    """Refunds begun a second after another, each in a phase."""
    past = story("one_time", "authorize 900, capture")
    operations = {}
    for phase in phases:
        past.now += SECOND
        operation = past.begin("refund", 1)
        operations[operation.id] = attrs.evolve(operation, phase=phase)
    return attrs.evolve(past.transaction, operations=operations)


@pytest.mark.parametrize(
    ("phases", "oldest", "due"),
    [
        ([], None, None),
        # Somebody may be waiting for the reply of what has just begun.
        ([Phase.BEGUN], SECOND, SECOND + REPLY_WITHIN),
        ([Phase.PENDING], SECOND, SECOND),
        ([Phase.UNKNOWN], SECOND, SECOND),
        ([Phase.BEGUN, Phase.UNKNOWN], SECOND, 2 * SECOND),
        ([Phase.UNKNOWN, Phase.BEGUN], SECOND, SECOND),
        ([Phase.BEGUN, Phase.BEGUN], SECOND, SECOND + REPLY_WITHIN),
    ],
)
def test_what_is_open_is_due_once_nobody_waits_for_its_reply(
    story, now, phases, oldest, due
):
    transaction = open_operations(story, *phases)
    assert transaction.open_since == (None if oldest is None else now + oldest)
    assert transaction.due_at == (None if due is None else now + due)


@pytest.mark.parametrize(
    ("changes", "finish_by"),
    [
        ({}, None),  # the gateway has not accepted it yet
        ({"phase": Phase.UNKNOWN}, None),
        ({"phase": Phase.PENDING}, DAYS_2),
        ({"phase": Phase.PENDING, "last_sent_at": SECOND}, DAYS_2 + SECOND),
        ({"phase": Phase.PENDING, "resumed_at": SECOND}, None),  # they have come back
    ],
)
def test_what_waits_for_its_consumer_is_open_for_too_long_once_their_time_is_over(
    story, now, changes, finish_by
):
    past = story("one_time", "authorize? 900")
    (operation,) = past.transaction.operations.values()
    begun = operation.begun_at
    moved = {
        name: begun + value if isinstance(value, timedelta) else value
        for name, value in changes.items()
    }
    waits = attrs.evolve(operation, **moved)
    transaction = attrs.evolve(past.transaction, operations={waits.id: waits})
    assert waits.finish_by == (None if finish_by is None else begun + finish_by)
    assert transaction.open_since == (waits.finish_by or begun)


def test_what_was_sent_again_is_waited_for_from_then_on(story, now):
    transaction = open_operations(story, Phase.BEGUN)
    (operation,) = transaction.operations.values()
    assert operation.sent_at == now + SECOND
    again = attrs.evolve(operation, last_sent_at=now + timedelta(hours=2))
    resent = attrs.evolve(transaction, operations={again.id: again})
    assert again.sent_at == now + timedelta(hours=2)
    assert resent.due_at == now + timedelta(hours=2, seconds=150)
    assert resent.open_since == now + SECOND
