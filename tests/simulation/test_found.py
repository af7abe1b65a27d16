"""What the simulator has found, each as the shortest story that showed it."""

from kessai import Command, Missing
from kessai.simulator import Fault, replay
from kessai.simulator.moves import Ask, Consume, Deliver, Pass, Recover, Step

PUSHES = dict.fromkeys(
    ("authorize_push_url", "capture_push_url", "cancel_push_url"),
    "https://shop.example/push",
)


def steps(task, times, **given):
    return [Step(task, **given)] * times


def captured(task=1):
    """An order whose 100 are authorized and captured, as the engine knows."""
    command = Command(
        "authorize",
        "one_time-1",
        key="apply",
        lifecycle="one_time",
        amount=100,
        parameters={**PUSHES, "with_capture": True},
    )
    return [
        Ask(task, command),
        *steps(task, 6),
        Consume("one_time-1", "log_in"),
        Consume("one_time-1", "approve"),
        Deliver(task + 1, "one_time-1", 0),
        *steps(task + 1, 4),
    ]


def asks(task, name, amount=None):
    return Ask(task, Command(name, "one_time-1", key=f"key-{task}", amount=amount))


def test_a_look_up_that_was_slept_over_is_no_proof_that_nothing_arrived(stage):
    # The refund arrives after the look-up and before its answer is read; to decline it
    # then would let the caller send a second one.
    story = [
        *captured(),
        asks(3, "refund", 50),
        *steps(3, 3),
        Pass(50),
        Step(3, Fault.SLOW_REQUEST),
        Pass(105),
        Recover(4, Missing.DECLINE),
        *steps(4, 6),
        Step(4, hold=True),
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
        Step(3, Fault.COMMIT_KEPT),
        Step(3),
        Step(3, Fault.STORE_BUSY),
    ]
    assert replay(stage, story) is None


def test_a_read_that_was_given_up_and_answers_late_is_no_discrepancy(stage):
    story = [
        *captured(),
        asks(3, "get_address"),
        *steps(3, 3),
        Step(3, hold=True),
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
        Step(4, hold=True),
        *steps(3, 3),
    ]
    assert replay(stage, story) is None
