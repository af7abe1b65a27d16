"""An authorization lasts 30 days from its last taking: to the second, and not by guess."""

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from kessai.evidence.outcome import overdue
from kessai.gateway import Outcome
from kessai.machine import External, Lapsed, broken_invariants, evolve

DAYS = timedelta(days=30)
SECOND = timedelta(seconds=1)
HISTORIES = {
    "one_time": "authorize 1000",
    "recurring": "authorize 1000",
    "charge": "reauthorize 1000",
}


def lapsed(told):
    return list(overdue(told.machine, told.transaction, told.now))


@pytest.mark.parametrize(("lifecycle", "history"), HISTORIES.items())
@pytest.mark.parametrize(
    ("after", "code"),
    [
        (DAYS - SECOND, "ok"),
        (DAYS - timedelta(microseconds=1), "ok"),
        (DAYS, "authorization_expired"),
        (DAYS + SECOND, "authorization_expired"),
    ],
)
def test_a_capture_is_denied_from_the_exact_moment_on(
    story, lifecycle, history, after, code
):
    told = story(lifecycle, history)
    told.now += after
    assert told.codes("capture") == code
    expected = [] if code == "ok" else [Lapsed(told.now, "authorization")]
    assert lapsed(told) == expected


def test_the_denial_says_when_the_authorization_expired(story, now):
    told = story("one_time", "authorize 1000")
    told.now += DAYS
    denial = told.ask("capture")
    assert denial.reasons[0].rule == "O6"
    assert f"{now + DAYS:%Y-%m-%dT%H:%M:%SZ}" in str(denial)


def test_what_is_expired_can_still_be_cancelled_until_the_sweep_moves_it(story):
    told = story("one_time", "authorize 1000")
    told.now += DAYS
    assert told.codes("cancel") == "ok"
    assert told.codes("update_authorization", 1) == "authorization_expired"


def test_an_update_takes_the_authorization_anew_for_30_days_from_then(story):
    told = story("one_time", "authorize 1000")
    told.now += DAYS - SECOND
    told.tell("update_authorization 900")
    told.now += DAYS - SECOND
    assert told.codes("capture", 900) == "ok"
    assert lapsed(told) == []
    told.now += SECOND
    assert told.codes("capture", 900) == "authorization_expired"


@pytest.mark.parametrize(
    "history", ["update_authorization! 5", "update_authorization? 5"]
)
def test_an_update_that_did_not_succeed_moves_no_deadline(story, now, history):
    told = story("one_time", f"authorize 1000, {history}")
    assert told.transaction.deadlines == {"authorization": now + DAYS}


def test_a_deadline_counts_from_when_the_gateway_says_it_happened(story, now):
    told = story("one_time", "authorize? 1000")
    told.now += timedelta(days=3)
    (operation,) = told.transaction.operations.values()
    told.resolve(operation, reported_at=now + SECOND)
    assert told.transaction.deadlines["authorization"] == now + SECOND + DAYS


@pytest.mark.parametrize(
    ("told_days", "lasts_until"), [(0, 32), (2, 32), (4, 34), (9, 35), (None, 35)]
)
def test_of_what_is_told_late_and_out_of_order_the_latest_holds(
    story, now, told_days, lasts_until
):
    """An update that happened before the authorization was told cannot shorten it."""
    told = story("one_time", "authorize? 1000")
    (operation,) = told.transaction.operations.values()
    told.now += timedelta(days=2)
    told.resolve(operation)
    told.now += timedelta(days=3)
    happened = None if told_days is None else now + timedelta(days=told_days)
    evidence = told.evidence("update_authorization", amount=900, reported_at=happened)
    told.append(External(told.now, "update_authorization", 900, evidence))
    ends = now + timedelta(days=lasts_until)
    assert told.transaction.deadlines == {"authorization": ends}


def test_a_gateways_clock_that_runs_ahead_lengthens_nothing(story, now):
    told = story("one_time", "authorize? 1000")
    (operation,) = told.transaction.operations.values()
    told.resolve(operation, reported_at=now + timedelta(days=400))
    assert told.transaction.deadlines["authorization"] == now + DAYS


def test_a_deadline_beyond_the_end_of_time_is_the_end_of_time(story):
    told = story("one_time", "authorize? 1000")
    (operation,) = told.transaction.operations.values()
    told.now = datetime.max.replace(tzinfo=UTC) - SECOND
    told.resolve(operation)
    assert told.transaction.deadlines["authorization"] == datetime.max.replace(
        tzinfo=UTC
    )


@pytest.mark.parametrize(
    "history",
    [
        "capture?",
        "cancel?",
        "update_authorization? 5",
    ],
)
def test_nothing_lapses_while_an_operation_is_open(story, history):
    """Time never turns the unknown into an end: only evidence does."""
    told = story("one_time", f"authorize 1000, {history}")
    told.now += 10 * DAYS
    assert lapsed(told) == []


def test_a_read_that_never_ended_does_not_keep_an_authorization_alive(story):
    told = story("one_time", "authorize 1000, get_address?")
    told.now += DAYS
    assert [event.deadline for event in lapsed(told)] == ["authorization"]


@pytest.mark.parametrize(
    "history",
    ["authorize 1000, capture", "authorize 1000, cancel", "authorize? 1000", ""],
)
def test_a_deadline_concerns_only_the_state_it_is_for(story, history):
    told = story("one_time", history)
    told.now += 10 * DAYS
    assert lapsed(told) == []


def test_what_expires_releases_the_whole_authorization(story):
    told = story("one_time", "authorize 1000, expire")
    assert told.status == "payment.expired"
    assert told.amounts("authorized", "released", "captured") == (1000, 1000, 0)
    assert broken_invariants(told.machine, told.transaction) == ()
    assert told.codes("capture") == "state_not_allowed"


def test_the_payment_expires_and_the_consent_lives_on(story):
    told = story("recurring", "authorize 1000, expire")
    assert told.status == "consent.consented payment.expired"


def test_a_deadline_that_nobody_knows_any_more_moves_nothing(story):
    told = story("one_time", "authorize 1000")
    told.transaction = attrs.evolve(
        told.transaction, deadlines={"gone": told.now, **told.transaction.deadlines}
    )
    assert lapsed(told) == []
    told.now += DAYS
    assert lapsed(told) == [Lapsed(told.now, "authorization")]
    after = evolve(told.machine, told.transaction, Lapsed(told.now, "gone"))
    assert after.states == told.transaction.states


def test_a_second_lapse_of_the_same_deadline_changes_nothing(story):
    told = story("one_time", "authorize 1000, expire")
    amounts = told.transaction.amounts
    told.append(Lapsed(told.now, "authorization"))
    assert told.transaction.amounts == amounts


def test_a_decline_after_the_deadline_still_leaves_the_lapse_to_the_clock(story):
    told = story("one_time", "authorize 1000, capture?")
    told.now += DAYS
    (operation,) = told.transaction.operations.values()
    told.resolve(operation, Outcome.DECLINED)
    assert told.status == "payment.authorized"
    assert len(lapsed(told)) == 1
