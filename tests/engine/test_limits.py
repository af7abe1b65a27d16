"""The waits of the engine fit together, and a recovery that breaks them is refused."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

import kessai
from kessai import limits
from kessai.errors import InvalidInput
from kessai.flow import Missing, Recovery
from kessai.limits import IN_FLIGHT_LIMIT, NOTHING_IN_FLIGHT, WAITS, Waits

SECOND = timedelta(seconds=1)


def test_a_request_is_sent_and_answered_within_the_in_flight_limit() -> None:
    waits = limits.SEND_WITHIN + limits.REPLY_WITHIN + limits.MARGIN
    assert WAITS.least_limit == waits == timedelta(minutes=6.5)
    assert waits <= IN_FLIGHT_LIMIT


def test_the_transport_gives_up_when_its_caller_does() -> None:
    reply = limits.REPLY_WITHIN.total_seconds()
    assert reply == limits.REPLY_SECONDS


def test_a_recovery_waits_as_long_as_a_request_may_take() -> None:
    assert Recovery().in_flight_limit == IN_FLIGHT_LIMIT
    Recovery(in_flight_limit=WAITS.least_limit)
    for short in (WAITS.least_limit - SECOND, timedelta(0), -SECOND):
        with pytest.raises(InvalidInput, match="0:06:30 or more is right"):
            Recovery(in_flight_limit=short, missing=Missing.DECLINE)


def test_longer_waits_need_a_longer_limit() -> None:
    slow = Waits(reply_within=timedelta(minutes=8))
    with pytest.raises(InvalidInput, match="0:12:00 or more is right"):
        Recovery(waits=slow)
    assert Recovery(waits=slow, in_flight_limit=timedelta(minutes=12)).waits is slow


def test_a_gateway_in_this_process_has_nothing_in_flight() -> None:
    assert Recovery(
        in_flight_limit=timedelta(0), waits=NOTHING_IN_FLIGHT
    ).in_flight_limit == timedelta(0)
    with pytest.raises(InvalidInput):
        Recovery(in_flight_limit=-SECOND, waits=NOTHING_IN_FLIGHT)


def test_pauses_double_up_to_the_longest() -> None:
    pauses = [Recovery().pause(attempts) for attempts in (0, 1, 2, 9, 10, 1000)]
    first, longest = limits.FIRST_PAUSE, limits.LONGEST_PAUSE
    assert pauses == [first, 2 * first, 4 * first, 512 * first, longest, longest]


def test_no_wait_is_declared_anywhere_else() -> None:
    declared = re.compile(
        r"^_?[A-Z_]+(: Final)? = timedelta\(|^_?[A-Z_]*SECONDS.* = \d"
    )
    house = Path(kessai.__file__).parent
    outside = {
        str(file.relative_to(house))
        for file in house.rglob("*.py")
        if any(declared.match(line) for line in file.read_text("utf-8").splitlines())
    }
    kits = {  # what they wait for is a process or a story of their own
        "audit/log_check/times.py",
        "audit/log_check/history.py",
        "audit/log_check/grouped.py",
        "cli/recovery/recover.py",
        "simulator/quiescence.py",
        "simulator/scenes.py",
        "testing/adapter_kit/cross_process.py",
        "testing/transport_kit/waits.py",
    }
    assert outside <= {"limits.py", *kits}
