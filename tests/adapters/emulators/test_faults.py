"""What may go wrong on the way to any gateway."""

import asyncio
import json

import pytest

from kessai.gateway import Failure, Request
from kessai_adapters.emulators import Fault
from kessai_adapters.emulators.in_process import (
    AsyncEmulatorTransport,
    EmulatorTransport,
)

OPEN = Request(method="POST", url="https://till.example/orders/A-1", body=b"")


@pytest.fixture
def send(till):
    """Return a function that sends a request in this process."""
    return lambda: EmulatorTransport(till).send(OPEN)


def test_an_engine_reaches_an_emulator_in_process(send, till):
    reply = send()
    assert (reply.status, json.loads(reply.body)["state"]) == (200, "open")


def test_an_asynchronous_engine_does_too(till):
    async def both():
        transport = AsyncEmulatorTransport(till)
        reply = await transport.send(OPEN)
        till.misbehave(Fault.LOSE_REPLY)
        lost = await transport.send(OPEN)
        await transport.close()
        return reply, lost

    reply, lost = asyncio.run(both())
    assert reply.status == 200
    assert lost == Failure(sent=True, reason="no reply came")


@pytest.mark.parametrize(
    ("fault", "came", "done"),
    [
        (Fault.REFUSE_CONNECTION, None, False),
        (Fault.LOSE_REQUEST, None, False),
        (Fault.LOSE_REPLY, None, True),
        (Fault.HTTP_500, 500, True),
        (Fault.HTTP_502, 502, True),
        (Fault.HTTP_503, 503, False),
        (Fault.GARBAGE, 200, True),
        (Fault.TRUNCATE, 200, True),
        ("http_429", 429, False),
        ("later", 200, True),
    ],
)
def test_each_fault_says_what_comes_and_whether_it_was_done(
    send, till, fault, came, done
):
    till.misbehave(fault)
    reply = send()
    if came is None:
        assert isinstance(reply, Failure)
        assert reply.sent is (fault != Fault.REFUSE_CONNECTION)
    else:
        assert reply.status == came
    assert ("A-1" in till.orders) is done
    assert send().status == 200, "it strikes once"


def test_a_test_may_choose_whether_the_work_was_done(send, till):
    till.misbehave("http_500", carried_out=False)
    assert send().status == 500
    assert till.orders == {}
    till.misbehave("lose_request", carried_out=True)
    assert send().sent is True
    assert till.orders == {"A-1": "open"}


def test_a_fault_strikes_as_often_as_asked_and_only_its_command(send, till):
    till.misbehave("http_500", command="open", times=2)
    till.misbehave("later")
    assert till.handle("GET", "/orders/A-1", {}, b"").status == 404
    assert [send().status for _ in range(3)] == [500, 500, 200]
    assert till.orders == {"A-1": "pending"}, "reading is spared, opening is not"


def test_faults_can_be_taken_back(send, till):
    till.misbehave("http_500")
    assert [mishap.fault for mishap in till.mishaps] == ["http_500"]
    till.behave()
    assert send().status == 200


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"fault": "sulk"}, r"no fault 'sulk': garbage, .*http_429, .*truncate"),
        ({"fault": "garbage", "command": "dance"}, "no command 'dance': open, read"),
        ({"fault": "garbage", "times": 0}, "times must be at least 1"),
        ({"fault": "later", "command": "read"}, "read .* cannot be later"),
        ({"fault": "later", "carried_out": False}, "no choice"),
        ({"fault": "refuse_connection", "carried_out": True}, "no choice"),
    ],
)
def test_what_cannot_be_asked_for_is_an_error_that_says_what_can(till, asked, reason):
    with pytest.raises(ValueError, match=reason):
        till.misbehave(**asked)
    assert list(till.mishaps) == []
