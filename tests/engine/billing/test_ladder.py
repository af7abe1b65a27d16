"""A decline leads to another attempt after days, to the consumer, or to nothing."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from kessai import Failure
from kessai.billing import ChunkDone, RetryLadder, read_ladder, run_bills
from kessai.errors import InvalidInput

RUN = "2026-01"
DAYS = timedelta(days=1)
LADDER = RetryLadder(again=["NH08*"], after=[3 * DAYS, 7 * DAYS], ask=["NH07*"])
TOML = """
[again]
codes = ["NH08*"]
after_days = [3, 7]
[ask]
codes = ["NH07*"]
"""


@pytest.fixture
def due(shop):
    shop.agrees("A")
    shop.plan("A")
    shop.at(2026, 1, 31)
    return shop


def bill(shop, ladder=LADDER):
    return run_bills(shop.engine, RUN, owner="worker", ladder=ladder)


def refuses(shop, times=1):
    shop.local.emulator.misbehave("refuse", command="ReAuthorize", times=times)


def standing(shop):
    (found,) = shop.listed()
    return found


def test_a_decline_is_tried_again_after_days_under_another_id(due):
    refuses(due)
    assert bill(due) == [ChunkDone(Counter(planned=1))]
    waiting = standing(due)
    assert (waiting.charge, waiting.attempts, waiting.declines) == (
        *("A-20260131-2", 1, 1),
    )
    assert waiting.due_at == datetime(2026, 2, 3, tzinfo=UTC)
    due.passes(days=2)
    assert bill(due) == []
    due.passes(days=1)
    assert bill(due) == [ChunkDone(Counter(succeeded=1))]
    assert standing(due).attempts == 2
    assert due.transaction("A-20260131").status == "payment.failed"
    assert due.transaction("A-20260131-2").status == "payment.captured"


def test_the_ladder_ends_after_its_last_attempt(due):
    refuses(due, times=3)
    for days in (3, 7):
        bill(due)
        due.passes(days=days)
    bill(due)
    ended = standing(due)
    assert (ended.status, ended.remedy, ended.due_at) == ("declined", "stop", None)
    assert (ended.attempts, ended.declines) == (3, 3)
    due.passes(days=30)
    assert bill(due) == []


def test_without_a_ladder_a_decline_is_final(due):
    refuses(due)
    bill(due, RetryLadder())
    assert (standing(due).status, standing(due).remedy) == ("declined", "stop")


def test_where_only_the_consumer_can_help_they_are_to_be_asked(due):
    refuses(due)
    bill(due, RetryLadder(ask=["NH08*"]))
    ended = standing(due)
    assert (ended.status, ended.remedy, ended.due_at) == ("declined", "ask", None)
    answer = due.charge("A-new-card")  # they gave another card: the shop charges it
    assert answer.status == "succeeded"


def test_while_another_attempt_is_planned_the_period_is_taken(due):
    refuses(due)
    bill(due)
    denied = due.charge("A-by-hand")
    assert denied.denial.reasons[0].values["charge"] == "A-20260131-2"


def test_no_attempt_begins_while_the_one_before_is_open(due):
    due.local.emulator.misbehave("lose_reply", command="ReAuthorize")
    bill(due)
    due.local.emulator.misbehave("lose_reply", command="Search", times=3)
    for _ in range(3):
        due.passes(minutes=20)
        assert bill(due) == [ChunkDone(Counter(unknown=1))]
    due.passes(minutes=20)
    assert bill(due) == [ChunkDone(Counter(succeeded=1))]
    assert set(due.orders()) == {"A-20260131"}


def test_what_never_reached_the_gateway_is_tried_again_and_no_decline(due):
    def unreachable(request):
        return Failure(sent=False, reason="no route")

    send, due.wire.send = due.wire.send, unreachable
    bill(due, RetryLadder())
    first = standing(due)
    assert (first.status, first.declines, first.attempts) == ("planned", 0, 1)
    assert first.due_at == due.now + timedelta(minutes=15)
    due.passes(minutes=15)
    bill(due, RetryLadder())
    assert standing(due).due_at == due.now + timedelta(minutes=30)
    due.wire.send = send
    due.passes(minutes=30)
    assert bill(due, RetryLadder()) == [ChunkDone(Counter(succeeded=1))]
    assert due.orders() == {"A-20260131-3": "A"}


def test_an_agreement_that_ends_between_attempts_is_not_charged_again(due):
    refuses(due)
    bill(due)
    due.do("terminate", "A")
    due.passes(days=3)
    assert bill(due) == [ChunkDone(Counter(denied=1))]
    assert standing(due).due_at is None


def test_a_ladder_is_declared_in_a_file(tmp_path):
    path = tmp_path / "ladder.toml"
    path.write_text(TOML, "utf-8")
    assert read_ladder(path) == LADDER


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("again = 3", "Expected `object"),
        ("[again", "after_days and .ask. codes are right"),
        ('[again]\ncodes = ["A"]', "after_days"),
        ('[again]\ncodes = ["A"]\nafter_days = [0]', "after a day or more"),
        ('[again]\ncodes = ["A"]\nafter_days = []', "and the days after which"),
        ('[again]\ncodes=["A"]\nafter_days=[1]\n[ask]\ncodes=["A"]', "A cannot be"),
        ('[stop]\ncodes = ["A"]', "unknown field `stop`"),
    ],
)
def test_what_is_no_ladder_is_refused(tmp_path, text, message):
    path = tmp_path / "ladder.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(InvalidInput, match=message):
        read_ladder(path)
    with pytest.raises(InvalidInput, match="No such file"):
        read_ladder(tmp_path / "nowhere")
