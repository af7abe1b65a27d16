"""An authorization lasts 30 days from its last taking: to the second, and not by guess."""

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from kessai.evidence.outcome import overdue
from kessai.gateway import Outcome
from kessai.machine import External, Lapsed, as_of, broken_invariants, evolve

DAYS = timedelta(days=30)
SECOND = timedelta(seconds=1)
HISTORIES = {
    "one_time": "authorize 1000",
    "recurring": "authorize 1000",
    "charge": "reauthorize 1000",
}


def lapsed(past):
    return list(overdue(past.machine, past.transaction, past.now))


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
    past = story(lifecycle, history)
    past.now += after
    assert past.codes("capture") == code
    expected = [] if code == "ok" else [Lapsed(past.now, "authorization")]
    assert lapsed(past) == expected


def test_the_denial_says_when_the_authorization_expired(story, now):
    past = story("one_time", "authorize 1000")
    past.now += DAYS
    denial = past.ask("capture")
    assert denial.reasons[0].rule == "O6"
    assert f"{now + DAYS:%Y-%m-%dT%H:%M:%SZ}" in str(denial)


def test_what_is_expired_can_still_be_cancelled_until_the_sweep_moves_it(story):
    past = story("one_time", "authorize 1000")
    past.now += DAYS
    assert past.codes("cancel") == "ok"
    assert past.codes("update_authorization", 1) == "authorization_expired"


def test_an_update_takes_the_authorization_anew_for_30_days_from_then(story):
    past = story("one_time", "authorize 1000")
    past.now += DAYS - SECOND
    past.tell("update_authorization 900")
    past.now += DAYS - SECOND
    assert past.codes("capture", 900) == "ok"
    assert lapsed(past) == []
    past.now += SECOND
    assert past.codes("capture", 900) == "authorization_expired"


@pytest.mark.parametrize(
    "history", ["update_authorization! 5", "update_authorization? 5"]
)
def test_an_update_that_did_not_succeed_moves_no_deadline(story, now, history):
    past = story("one_time", f"authorize 1000, {history}")
    assert past.transaction.deadlines == {"authorization": now + DAYS}


def test_a_deadline_counts_from_when_the_gateway_says_it_happened(story, now):
    past = story("one_time", "authorize? 1000")
    past.now += timedelta(days=3)
    (operation,) = past.transaction.operations.values()
    past.resolve(operation, reported_at=now + SECOND)
    assert past.transaction.deadlines["authorization"] == now + SECOND + DAYS


@pytest.mark.parametrize(
    ("told_days", "lasts_until"), [(0, 32), (2, 32), (4, 34), (9, 35), (None, 35)]
)
def test_of_what_is_told_late_and_out_of_order_the_latest_holds(
    story, now, told_days, lasts_until
):
    """An update that happened before the authorization was told cannot shorten it."""
    past = story("one_time", "authorize? 1000")
    (operation,) = past.transaction.operations.values()
    past.now += timedelta(days=2)
    past.resolve(operation)
    past.now += timedelta(days=3)
    happened = None if told_days is None else now + timedelta(days=told_days)
    evidence = past.evidence("update_authorization", amount=900, reported_at=happened)
    past.append(External(past.now, "update_authorization", 900, evidence))
    ends = now + timedelta(days=lasts_until)
    assert past.transaction.deadlines == {"authorization": ends}


def test_a_gateways_clock_that_runs_ahead_lengthens_nothing(story, now):
    past = story("one_time", "authorize? 1000")
    (operation,) = past.transaction.operations.values()
    past.resolve(operation, reported_at=now + timedelta(days=400))
    assert past.transaction.deadlines["authorization"] == now + DAYS


def test_a_deadline_beyond_the_end_of_time_is_the_end_of_time(story):
    past = story("one_time", "authorize? 1000")
    (operation,) = past.transaction.operations.values()
    past.now = datetime.max.replace(tzinfo=UTC) - SECOND
    past.resolve(operation)
    assert past.transaction.deadlines["authorization"] == datetime.max.replace(
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
    past = story("one_time", f"authorize 1000, {history}")
    past.now += 10 * DAYS
    assert lapsed(past) == []


def test_a_read_that_never_ended_does_not_keep_an_authorization_alive(story):
    past = story("one_time", "authorize 1000, get_address?")
    past.now += DAYS
    assert [event.deadline for event in lapsed(past)] == ["authorization"]


@pytest.mark.parametrize(
    "history",
    ["authorize 1000, capture", "authorize 1000, cancel", "authorize? 1000", ""],
)
def test_a_deadline_concerns_only_the_state_it_is_for(story, history):
    past = story("one_time", history)
    past.now += 10 * DAYS
    assert lapsed(past) == []


def test_what_expires_releases_the_whole_authorization(story):
    past = story("one_time", "authorize 1000, expire")
    assert past.status == "payment.expired"
    assert past.amounts("authorized", "released", "captured") == (1000, 1000, 0)
    assert broken_invariants(past.machine, past.transaction) == ()
    assert past.codes("capture") == "state_not_allowed"


def test_the_payment_expires_and_the_consent_lives_on(story):
    past = story("recurring", "authorize 1000, expire")
    assert past.status == "consent.consented payment.expired"


def test_a_deadline_that_nobody_knows_any_more_moves_nothing(story):
    past = story("one_time", "authorize 1000")
    past.transaction = attrs.evolve(
        past.transaction, deadlines={"gone": past.now, **past.transaction.deadlines}
    )
    assert lapsed(past) == []
    past.now += DAYS
    assert lapsed(past) == [Lapsed(past.now, "authorization")]
    after = evolve(past.machine, past.transaction, Lapsed(past.now, "gone"))
    assert after.states == past.transaction.states


def test_a_second_lapse_of_the_same_deadline_changes_nothing(story):
    past = story("one_time", "authorize 1000, expire")
    amounts = past.transaction.amounts
    past.append(Lapsed(past.now, "authorization"))
    assert past.transaction.amounts == amounts


def test_a_decline_after_the_deadline_still_leaves_the_lapse_to_the_clock(story):
    past = story("one_time", "authorize 1000, capture?")
    past.now += DAYS
    (operation,) = past.transaction.operations.values()
    past.resolve(operation, Outcome.DECLINED)
    assert past.status == "payment.authorized"
    assert len(lapsed(past)) == 1


@pytest.mark.parametrize(
    ("after", "status"),
    [
        (DAYS - timedelta(microseconds=1), "consent.consented payment.authorized"),
        (DAYS, "consent.consented payment.expired"),
        (2 * DAYS, "consent.consented payment.expired"),
    ],
)
def test_a_passed_deadline_is_seen_before_the_sweep_has_moved_anything(
    story, after, status
):
    past = story("recurring", "authorize 1000")
    seen = as_of(past.machine, past.transaction, past.now + after)
    assert seen.status == status
    assert attrs.evolve(seen, states=past.transaction.states) == past.transaction


def test_a_passed_deadline_of_another_state_is_passed_over(story):
    past = story("one_time", "authorize 1000, capture")
    assert as_of(past.machine, past.transaction, past.now + DAYS) is past.transaction
    authorized = story("one_time", "authorize 1000")
    deadlines = {"gone": past.now, **authorized.transaction.deadlines}
    transaction = attrs.evolve(authorized.transaction, deadlines=deadlines)
    assert as_of(past.machine, transaction, past.now) is transaction
    assert as_of(past.machine, transaction, past.now + DAYS).status == "payment.expired"
