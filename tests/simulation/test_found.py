"""What the simulator has found, each as the shortest story that showed it."""

from applying import (
    MERCHANTS_PAGE,
    MONTHLY,
    applied,
    approved,
    opening,
    steps,
)
from settings import setting_of
from staging import STAGES

from kessai import Command, Missing
from kessai.simulator import Fault, replay
from kessai.simulator.moves import (
    Arrive,
    Ask,
    Consume,
    Deliver,
    Finish,
    Pass,
    Recover,
    TaskStep,
)


def begun(**flags):
    """An order of 100 that the consumer has before them."""
    return [*applied("one_time", 100, **flags), Consume("one_time-1", "log_in")]


def authorized(**flags):
    """An order whose 100 are authorized, as the engine knows."""
    return [*begun(**flags), *approved("one_time")]


def captured():
    return authorized(with_capture=True)


def asks(task, name, amount=None):
    return Ask(task, Command(name, "one_time-1", key=f"key-{task}", amount=amount))


def test_a_inquiry_that_was_slept_over_is_no_proof_that_nothing_arrived(stage):
    # The refund arrives after the inquiry and before its answer is read; to decline it
    # then would let the caller send a second one.
    story = [
        *captured(),
        asks(3, "refund", 50),
        *steps(3, 3),
        Pass(50),
        TaskStep(3, Fault.SLOW_REQUEST),
        Pass(105),
        Recover(4, Missing.DECLINE),
        *steps(4, 6),
        TaskStep(4, hold=True),
        Pass(600),
        *steps(4, 9),
    ]
    assert replay(stage, story) is None


def test_a_reading_that_fails_after_an_uncertain_commit_makes_nothing_certain(stage):
    # The intent is there: to say "nothing was written" invites a second effect.
    story = [
        *captured(),
        asks(3, "refund", 50),
        *steps(3, 2),
        TaskStep(3, Fault.COMMIT_KEPT),
        TaskStep(3),
        TaskStep(3, Fault.STORE_BUSY),
    ]
    assert replay(stage, story) is None


def test_a_read_that_was_given_up_and_answers_late_is_no_discrepancy(stage):
    story = [
        *captured(),
        asks(3, "get_address"),
        *steps(3, 3),
        TaskStep(3, hold=True),
        Pass(200),
        Recover(4, Missing.DECLINE),
        *steps(4, 9),
    ]
    assert replay(stage, story) is None


def test_a_worker_that_slept_too_long_says_nothing_of_the_request_sent_since(stage):
    # Its own request never left; a recoverer sent the same one meanwhile.
    story = [
        *captured(),
        asks(3, "refund", 50),
        *steps(3, 3),
        Pass(660),
        Recover(4, Missing.RESEND),
        *steps(4, 13),
        TaskStep(4, hold=True),
        *steps(3, 3),
    ]
    assert replay(stage, story) is None


def test_an_update_that_arrived_too_late_does_not_undo_the_one_after_it(stage):
    # The gateway lists 300, presumed lost long ago, before 400: what was set last
    # holds.
    story = [
        *authorized(),
        asks(3, "update_authorization", 300),
        *steps(3, 3),
        TaskStep(3, Fault.LATE_REQUEST),
        *steps(3, 2),
        Pass(660),
        Recover(4, Missing.DECLINE, order="one_time-1"),
        *steps(4, 12),
        Arrive(3),
        asks(5, "update_authorization", 400),
        *steps(5, 6),
    ]
    assert replay(stage, story) is None


def test_an_expiry_is_reported_after_the_approval_that_an_update_overtook(stage):
    # Told before it, it would be kept as a discrepancy, for somebody to see to.
    story = [
        *begun(**MERCHANTS_PAGE),
        asks(3, "update_authorization", 400),
        *steps(3, 6),
        Consume("one_time-1", "approve"),
        asks(4, "update_authorization", 200),
        *steps(4, 6),
        Pass(31 * 24 * 3600),
    ]
    assert replay(stage, story) is None


def test_an_answer_older_than_the_trail_is_asked_for_again(stage):
    # The update that began meanwhile changes what the approval must show.
    story = [
        *begun(**MERCHANTS_PAGE),
        asks(3, "get_address"),
        *steps(3, 6),
        Consume("one_time-1", "approve"),
        Deliver(4, "one_time-1", 0),
        *steps(4, 3),
        asks(5, "update_authorization", 400),
        *steps(5, 3),
        *steps(4, 5),
        TaskStep(4, hold=True),
        *steps(5, 3),
    ]
    assert replay(stage, story) is None


def test_a_notification_that_two_could_be_meant_by_waits_until_it_is_clear(stage):
    # The list bears it out; only whose refund it was is not known yet.
    story = [
        *captured(),
        asks(3, "refund", 50),
        *steps(3, 4),
        TaskStep(3, Fault.CRASH_BEFORE),
        asks(4, "refund", 50),
        *steps(4, 3),
        TaskStep(4, Fault.LOST_REQUEST),
        Pass(3600),
        Deliver(5, "one_time-1", 1),
        *steps(5, 12),
    ]
    assert replay(stage, story) is None


def test_what_was_pending_when_a_inquiry_was_asked_for_may_have_ended_since(stage):
    # The first refund fails while the answer waits to be read; taken for the second
    # one, which never arrived, that would stay open for good.
    story = [
        *captured(),
        asks(3, "refund", 50),
        *steps(3, 3),
        TaskStep(3, Fault.FAILED_REFUND),
        *steps(3, 3),
        asks(4, "refund", 50),
        *steps(4, 3),
        TaskStep(4, Fault.LOST_REQUEST),
        *steps(4, 3),
        Pass(200),
        Recover(5, Missing.KEEP),
        *steps(5, 5),
        TaskStep(5, hold=True),
        Finish("one_time-1", good=False),
        Deliver(6, "one_time-1", 1),
        *steps(6, 12),
        *steps(5, 9),
    ]
    assert replay(stage, story) is None


def test_a_reply_that_was_slept_over_is_not_counted_twice(stage):
    # The inquiry could not distinguish the two refunds, and took the one that succeeded
    # for the other's; its own reply, read late, is no second success.
    story = [
        *captured(),
        asks(3, "refund", 50),
        *steps(3, 3),
        TaskStep(3, Fault.FAILED_REFUND),
        asks(4, "refund", 50),
        *steps(4, 4),
        Pass(660),
        Recover(5, Missing.DECLINE),
        *steps(5, 12),
        *steps(4, 9),
        *steps(3, 9),
        Finish("one_time-1", good=False),
    ]
    assert replay(stage, story) is None


def test_what_may_have_been_taken_for_another_is_not_sent_again(stage):
    # One of two like refunds never arrived, and the list does not show which.
    story = [
        *captured(),
        asks(3, "refund", 50),
        *steps(3, 3),
        TaskStep(3, Fault.LOST_REQUEST, hold=True),
        asks(4, "refund", 50),
        *steps(4, 4),
        Pass(3600),
        Recover(5, Missing.RESEND),
        *steps(5, 20),
    ]
    assert replay(stage, story) is None


def test_a_lease_outlives_what_it_was_given_for(stage):
    # Something new begins under it, and must not be leased to another recoverer.
    story = [
        *authorized(),
        asks(3, "get_address"),
        *steps(3, 3),
        TaskStep(3, Fault.LOST_REPLY),
        *steps(3, 3),
        Recover(4, Missing.KEEP),
        *steps(4, 2),
        Recover(5, Missing.KEEP, order="one_time-1"),
        *steps(5, 9),
        asks(6, "update_authorization", 90),
        *steps(6, 3),
        TaskStep(6, Fault.LOST_REPLY),
        *steps(6, 3),
        Recover(7, Missing.KEEP),
        *steps(7, 2),
    ]
    assert replay(stage, story) is None


def consented():
    """A consent for 401."""
    return [*applied("recurring", 401, **MONTHLY), *approved("recurring")]


def updates(task, amount):
    command = Command(
        "update_consent",
        "recurring-1",
        key=f"key-{task}",
        amount=amount,
        parameters=MONTHLY,
    )
    return Ask(task, command)


def test_an_update_that_was_given_up_is_not_taken_for_the_next_one(stage):
    # The first update arrives an hour late, behind the in-flight limit; the worker of
    # the second died before it sent anything. The list tells of one update, and not of
    # which.
    story = [
        *consented(),
        updates(3, 201),
        *steps(3, 3),
        TaskStep(3, fault=Fault.LATE_REQUEST),
        *steps(3, 2),
        Pass(3600),
        Recover(4, Missing.DECLINE),
        *steps(4, 12),
        updates(5, 401),
        *steps(5, 3),
        Arrive(3),
        Pass(660),
        Recover(6, Missing.RESEND),
        *steps(6, 12),
    ]
    assert replay(stage, story) is None


def test_an_update_that_was_sent_twice_is_not_taken_for_a_later_one(stage):
    # It was resent, and its first request arrives at last; that of the next one is
    # lost. Two are listed, and both are the first one's.
    story = [
        *consented(),
        updates(3, 100),
        *steps(3, 3),
        TaskStep(3, fault=Fault.LATE_REQUEST),
        *steps(3, 2),
        Pass(660),
        Recover(4, Missing.RESEND),
        *steps(4, 20),
        Arrive(3),
        updates(5, 200),
        *steps(5, 3),
        TaskStep(5, fault=Fault.LOST_REQUEST),
        *steps(5, 3),
        Pass(660),
        Recover(6, Missing.RESEND),
        *steps(6, 20),
    ]
    assert replay(stage, story) is None


def test_what_came_from_outside_is_not_applied_over_what_was_done_since(stage):
    # The inquiry after a refusal lists an update that was presumed lost and has
    # arrived. The answer is read only after the next update, which has set the amount
    # anew.
    story = [
        *authorized(),
        asks(3, "update_authorization", 60),
        *steps(3, 3),
        TaskStep(3, fault=Fault.LATE_REQUEST),
        Pass(660),
        Recover(4, Missing.DECLINE),
        *steps(4, 12),
        Arrive(3),
        asks(5, "update_authorization", 70),
        *steps(5, 3),
        TaskStep(5, fault=Fault.REFUSAL),
        *steps(5, 4),
        asks(7, "update_authorization", 80),
        *steps(7, 9),
    ]
    assert replay(stage, story) is None


def test_an_opening_is_not_given_up_while_its_update_may_show_it(stage):
    # The opening command arrives an hour late, just before an update that runs
    # alongside. Given up meanwhile, it left the update's success with nothing to be
    # applied to.
    story = [
        Ask(1, opening("one_time", 100, **MERCHANTS_PAGE)),
        *steps(1, 3),
        TaskStep(1, fault=Fault.LATE_REQUEST),
        *steps(1, 2),
        Pass(3600),
        asks(3, "update_authorization", 60),
        *steps(3, 3),
        Recover(4, Missing.DECLINE),
        *steps(4, 12),
        Arrive(1),
        Consume("one_time-1", "log_in"),
        *steps(3, 9),
    ]
    assert replay(stage, story) is None


def test_the_deadline_that_stripe_states_comes_with_what_it_is_about():
    # The reply to a charge was lost. An inquiry finds it, and that its authorization
    # lasts less long than others: the cardholder was away. Both are one change.
    stage = STAGES["stripe"]()
    charge = setting_of(stage, ("authorize", "terminate"))
    story = [
        *charge.moves(("authorize",)),
        Ask(3, charge.asked("authorize", "charge", 150)),
        *steps(3, 3),
        TaskStep(3, fault=Fault.LOST_REPLY),
        *steps(3, 4),
    ]
    assert replay(stage, story) is None


def test_a_capture_that_arrives_after_a_part_has_ended_it_all_the_same():
    # Numbers say in which order they were begun. The part was taken for the last one, and
    # the rest, which the late capture had released, for lapsed.
    stage = STAGES["stripe"]()
    pair = ("capture", "capture_part")
    card = setting_of(stage, pair)
    story = [
        *card.moves(pair),
        Ask(3, card.asked("capture", "late", 100)),
        *steps(3, 3),
        TaskStep(3, fault=Fault.LATE_REQUEST),
        *steps(3, 4),
        Pass(660),
        Recover(4, Missing.DECLINE),
        *steps(4, 24),
        Ask(5, card.asked("capture_part", "part", 100)),
        *steps(5, 9),
        Arrive(3),
    ]
    assert replay(stage, story) is None
