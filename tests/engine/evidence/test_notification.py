"""What a notification says, held against the trail: known before, borne out, or left over.

A notification is written in a few words: `capture 60` succeeded, `capture! 60` failed, `capture~ 60`
is pending, `capture? 60` is unknown.
"""

from datetime import timedelta

import pytest

from kessai.evidence.ledger import Unconfirmed
from kessai.evidence.notification import (
    is_accounted_for,
    is_recorded,
    is_repeated,
    may_be_listed_yet,
    unmatched,
)
from kessai.evidence.outcome import resolve_external
from kessai.gateway import Outcome, Source
from kessai.machine import Discrepancy, External
from kessai.machine.transaction import REMEMBERED

MARKS = {"!": Outcome.DECLINED, "~": Outcome.PENDING, "?": Outcome.UNKNOWN}
NOTIFICATION, REPLY, INQUIRY = Source.NOTIFICATION, Source.REPLY, Source.INQUIRY
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
PAGE = "authorize? 100 merchant_page, update_authorization 150"


def said(past, words, **more):
    name, *amount = words.split()
    return past.evidence(
        name.rstrip("!~?"),
        MARKS.get(name[-1], Outcome.SUCCEEDED),
        int(amount[0]) if amount else None,
        **{"source": NOTIFICATION, **more},
    )


def newest(past):
    return list(past.transaction.operations.values())[-1]


def outside(past, words):
    """Something that happened at the gateway enters the trail."""
    evidence = said(past, words, source=INQUIRY)
    past.append(resolve_external(past.machine, past.transaction, evidence, past.now))


# ── does the trail hold what it says? ───────────────────────────────────────────────


@pytest.mark.parametrize(
    ("history", "notification", "explained"),
    [
        ("authorize 100, capture 60", "capture 60", True),
        ("authorize 100, capture 60", "capture", True),
        ("authorize 100, capture 60", "capture 50", False),
        ("authorize 100, capture 60", "capture! 60", False),
        ("authorize 100, capture 60", "refund 60", False),
        ("authorize 100, capture! 60", "capture! 60", True),
        ("authorize 100, capture! 60", "capture! 50", False),
        ("authorize 100, capture! 60", "capture 60", False),
        ("authorize 100, capture! 60, capture 50", "capture 50", True),
        ("authorize 100, capture? 60", "capture 60", False),
        # What took no amount of its own fits any.
        ("authorize 100, cancel", "cancel 70", True),
        ("authorize 100, expire", "expire", True),
        ("authorize 100, expire", "expire 100", True),
        ("authorize 100, expire", "expire!", False),
        ("authorize 100, expire", "cancel", False),
        ("authorize 100", "expire", False),
        # What says nothing that lasts needs no explanation.
        ("authorize 100", "capture~ 60", True),
        ("authorize 100", "capture? 60", True),
        ("authorize 100", "get_address", True),
        ("authorize 100", "get_address!", True),
        # What no inquiry could ever bear out is never explained.
        ("authorize 100", "chargeback 60", False),
        ("authorize 100", "chargeback~ 60", False),
    ],
)
def test_a_notification_is_accounted_for_by_an_end_of_its_command_and_amount(
    story, history, notification, explained
):
    past = story("one_time", history)
    assert is_accounted_for(past.case, said(past, notification)) is explained


def test_a_notification_about_the_whole_transaction_says_nothing_that_lasts(story):
    past = story("one_time", "authorize 100")
    evidence = past.evidence(None, source=NOTIFICATION)
    assert is_accounted_for(past.case, evidence) is True


@pytest.mark.parametrize(
    ("notification", "explained"),
    [
        ("refund 30", True),
        ("refund", True),
        ("refund 50", False),
        ("refund! 30", False),
        ("capture 30", False),
    ],
)
def test_a_notification_is_accounted_for_by_what_the_gateway_did_by_itself(
    story, notification, explained
):
    past = story("one_time", "authorize 100, capture")
    outside(past, "refund 30")
    assert is_accounted_for(past.case, said(past, notification)) is explained


@pytest.mark.parametrize(
    ("amount", "explained"), [(100, True), (150, True), (120, False)]
)
def test_an_opening_may_be_told_with_the_amount_before_an_update_and_after_it(
    story, amount, explained
):
    past = story("one_time", PAGE)
    past.resolve(newest(past))
    evidence = said(past, f"authorize {amount}")
    assert is_accounted_for(past.case, evidence) is explained


@pytest.mark.parametrize(
    ("notification", "explained"),
    [("cancel 100", True), ("cancel", True), ("cancel 50", False)],
)
def test_the_amount_that_was_told_counts_before_the_one_that_was_asked_for(
    story, notification, explained
):
    past = story("one_time", "authorize 100, cancel?")
    past.resolve(newest(past), amount=100)
    assert is_accounted_for(past.case, said(past, notification)) is explained


def test_a_failure_of_what_never_left_explains_no_failure_at_the_gateway(story):
    past = story("one_time", "authorize 100, capture? 60")
    past.resolve(newest(past), Outcome.DECLINED, never_sent=True)
    assert not is_accounted_for(past.case, said(past, "capture! 60"))
    past.tell("capture! 60")
    assert is_accounted_for(past.case, said(past, "capture! 60"))


# ── was it kept before? ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("notification", "more", "kept"),
    [
        ("capture 60", {}, True),
        ("capture 60", {"exchange": "x-2"}, False),
        ("capture 60", {"exchange": None}, False),
        # An inquiry's exchanges have ids of their own.
        ("capture 60", {"source": INQUIRY, "exchange": "x-2"}, True),
        ("capture 61", {}, False),
        ("capture! 60", {}, False),
        ("refund 60", {}, False),
    ],
)
def test_evidence_is_recorded_once_for_each_exchange(story, notification, more, kept):
    past = story("one_time", "authorize 100")
    first = said(past, "capture 60", exchange="x-1")
    past.append(Discrepancy(past.now, "not_listed", first))
    evidence = said(past, notification, **{"exchange": "x-1", **more})
    assert is_recorded(past.attempts, evidence) is kept
    assert is_accounted_for(past.case, evidence) is kept


def test_what_was_kept_is_accounted_for_whatever_the_lifecycle_thinks_of_it(story):
    past = story("one_time", "authorize 100")
    past.append(Discrepancy(past.now, "not_in_lifecycle", said(past, "chargeback 60")))
    assert is_accounted_for(past.case, said(past, "chargeback 60"))


# ── is it the very notification that was applied? ───────────────────────────────────────────


@pytest.mark.parametrize(
    ("resolved_by", "after", "notification", "replay"),
    [
        (NOTIFICATION, "", ("refund 60", "x-1"), True),
        (NOTIFICATION, "", ("refund 60", "x-2"), False),
        (NOTIFICATION, "", ("refund 60", None), False),
        (NOTIFICATION, "", ("refund 61", "x-1"), False),
        (NOTIFICATION, "", ("refund! 60", "x-1"), False),
        (NOTIFICATION, "", ("capture 60", "x-1"), False),
        # The reply told of it: the notification is new, and may be another's.
        (REPLY, "", ("refund 60", "x-1"), False),
        # It may be meant for the refund that is open now.
        (NOTIFICATION, "refund? 60", ("refund 60", "x-1"), False),
        (NOTIFICATION, "get_address?", ("refund 60", "x-1"), True),
        (NOTIFICATION, "refund 60", ("refund 60", "x-1"), True),
    ],
)
def test_a_notification_is_a_replay_if_its_exchange_was_applied_and_nothing_alike_is_open(
    story, resolved_by, after, notification, replay
):
    past = story("one_time", "authorize 200, capture, refund? 60")
    past.resolve(newest(past), amount=60, source=resolved_by, exchange="x-1")
    for step in filter(None, [after]):
        past.tell(step)
    words, exchange = notification
    evidence = said(past, words, exchange=exchange)
    assert is_repeated(past.transaction, evidence) is replay


def test_after_many_notifications_only_the_trail_knows_the_first(story):
    past = story("one_time", "authorize 900, capture")
    for number in range(REMEMBERED + 1):
        refund = past.begin("refund", 1)
        past.resolve(refund, amount=1, source=NOTIFICATION, exchange=f"x-{number}")
    for exchange, remembered, repeated in [
        ("x-16", True, True),
        ("x-1", True, True),
        ("x-0", None, True),
        ("x-17", None, False),
    ]:
        evidence = said(past, "refund 1", exchange=exchange)
        assert is_repeated(past.transaction, evidence) is remembered
        assert is_repeated(past.transaction, evidence, past.attempts) is repeated


def test_two_notifications_without_an_exchange_are_not_known_to_be_the_same(story):
    past = story("one_time", "authorize? 100")
    past.resolve(newest(past), amount=100, source=NOTIFICATION)
    assert is_repeated(past.transaction, said(past, "authorize 100")) is False


def test_a_notification_that_ended_nothing_is_no_replay(story):
    past = story("one_time", "authorize 100, capture? 60")
    operation = newest(past)
    past.resolve(operation, Outcome.PENDING, 60, source=NOTIFICATION, exchange="x-1")
    past.resolve(operation, Outcome.DECLINED)
    evidence = said(past, "capture~ 60", exchange="x-1")
    assert is_repeated(past.transaction, evidence) is False


def test_what_happened_outside_makes_no_notification_a_replay(story):
    past = story("one_time", "authorize 100, capture")
    evidence = said(past, "refund 60", exchange="x-1")
    past.append(External(past.now, "refund", 60, evidence))
    assert is_repeated(past.transaction, evidence) is False


# ── may the list only run behind? ───────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("notification", "expected"),
    [
        ("refund 60", True),
        ("refund! 60", True),
        ("refund", True),
        ("refund 50", False),
        ("capture 60", False),
        ("chargeback 60", False),
    ],
)
def test_what_is_in_flight_may_be_listed_yet(story, notification, expected):
    past = story("one_time", "authorize 100, capture, refund? 60")
    evidence = said(past, notification)
    assert may_be_listed_yet(past.case, evidence) is expected


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(0), True),
        (HOUR - SECOND, True),
        (HOUR, False),
        # A clock that runs ahead is no more to be trusted than an old message.
        (-HOUR + SECOND, True),
        (-HOUR, False),
        (None, False),
    ],
)
@pytest.mark.parametrize("open_still", [True, False])
def test_a_list_runs_behind_for_an_hour_at_most(story, age, expected, open_still):
    past = story("one_time", "authorize 100, capture? 60")
    past.resolve(newest(past), Outcome.UNKNOWN)
    if not open_still:
        past.resolve(newest(past), Outcome.DECLINED)
    reported_at = None if age is None else past.now - age
    evidence = said(past, "capture 60", reported_at=reported_at)
    assert may_be_listed_yet(past.case, evidence) is (expected and open_still)


def test_a_failure_may_tell_of_the_amount_before_an_update_and_be_listed_yet(story):
    past = story("one_time", PAGE)
    assert may_be_listed_yet(past.case, said(past, "authorize! 100"))
    assert not may_be_listed_yet(past.case, said(past, "authorize 100"))


# ── and how it is kept, if nothing accounts for it ──────────────────────────────────

CAPTURED = "authorize 100, capture"
GONE = (Unconfirmed("capture", 100),)


@pytest.mark.parametrize(
    ("history", "notification", "unlisted", "reason"),
    [
        (CAPTURED, "refund 60", (), "not_listed"),
        (CAPTURED, "refund 60", GONE, "not_listed"),
        (CAPTURED, "expire", (), "not_listed"),
        # A failure is about what is open, or takes back what was told before.
        ("authorize 100, capture? 60", "capture! 60", (), "not_listed"),
        ("authorize 100, capture? 60", "capture! 50", (), None),
        (PAGE, "authorize! 100", (), "not_listed"),
        (CAPTURED, "capture! 100", GONE, "contradicts_earlier"),
        (CAPTURED, "capture! 7", GONE, "contradicts_earlier"),
        (CAPTURED, "refund! 60", GONE, None),
        (CAPTURED, "capture! 100", (), None),
        (CAPTURED, "expire!", GONE, None),
        (CAPTURED, "chargeback 60", (), "not_in_lifecycle"),
        (CAPTURED, "chargeback! 60", (), "not_in_lifecycle"),
    ],
)
def test_what_nothing_accounts_for_is_recorded_unless_it_moved_nothing(
    story, history, notification, unlisted, reason
):
    past = story("one_time", history)
    evidence = said(past, notification)
    left = unmatched(past.case, evidence, unlisted)
    expected = None if reason is None else Discrepancy(past.now, reason, evidence)
    assert left == expected
