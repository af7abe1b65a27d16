"""An exchange of several requests: one intent before it, one outcome after it, no error."""

import pytest

from kessai import Status
from kessai.errors import (
    CommitUnknown,
    InvalidInput,
    LeaseLost,
    NotificationRefused,
    StoreBusy,
    StoreFailed,
    TrailBroken,
    VersionConflict,
)
from kessai.flow.exchange import MOST_REQUESTS
from kessai.gateway import Failure, Reply, Request
from kessai.machine import Begun, Reported

GONE = Failure(sent=False, reason="ConnectError")
LOST = Failure(sent=True, reason="ReadTimeout")


@pytest.fixture
def two_steps(scripted):
    """An order is made, then confirmed; the last reply is what came of it."""

    def exchange(call):
        reply = yield scripted.ask(call, "make")
        if isinstance(reply, Reply):
            reply = yield scripted.ask(call, "confirm")
        if isinstance(reply, Failure):
            outcome = "unknown" if reply.sent else "declined"
            return scripted.says(call, outcome, never_sent=not reply.sent)
        return scripted.says(call, "succeeded" if reply.status == 200 else "declined")

    scripted.exchanges["authorize"] = exchange
    return exchange


def test_two_requests_are_one_operation(market, wire, events, two_steps):
    answer = market.asks("authorize", 100)
    assert answer.status is Status.SUCCEEDED
    assert wire.urls == ["authorize/make", "authorize/confirm"]
    assert [type(event) for event in events()] == [Begun, Reported]


def test_the_intent_is_there_before_the_first_request(market, wire, store, two_steps):
    found = []
    wire.answers = [lambda: found.append(len(store.records("order-1"))) or GONE]
    market.asks("authorize", 100)
    assert found == [1]


def test_what_cannot_be_asked_leaves_no_trace(market, wire, store, scripted):
    def exchange(call):
        message = "too long for this gateway"
        raise InvalidInput(message)
        yield

    scripted.exchanges["authorize"] = exchange
    with pytest.raises(InvalidInput, match="too long"):
        market.asks("authorize", 100)
    assert (store.records("order-1"), wire.sent) == ([], [])


@pytest.mark.parametrize("first", [None, b"POST", "nothing"])
def test_an_exchange_without_a_first_request_leaves_no_trace(
    market, wire, store, scripted, first
):
    def exchange(call):
        if first != "nothing":
            yield first
        return scripted.says(call)

    scripted.exchanges["authorize"] = exchange
    with pytest.raises(InvalidInput, match=r"^scripted: "):
        market.asks("authorize", 100)
    assert (store.records("order-1"), wire.sent) == ([], [])


ANY_ERROR = pytest.mark.parametrize(
    "error",
    [
        ValueError,
        OSError,
        StopIteration,
        RecursionError,
        InvalidInput,
        LeaseLost,
        StoreBusy,
        StoreFailed,
        VersionConflict,
        CommitUnknown,
        NotificationRefused,
        TrailBroken,
    ],
)


@ANY_ERROR
@pytest.mark.parametrize("requests", [1, 2])
def test_whatever_an_adapter_raises_after_sending_is_unknown(
    market, events, scripted, error, requests
):
    def exchange(call):
        for number in range(requests):
            yield scripted.ask(call, str(number))
        raise error(4)

    scripted.exchanges["authorize"] = exchange
    answer = market.asks("authorize", 100)
    assert answer.status is Status.UNKNOWN
    if error is not StopIteration:
        assert answer.evidence.code == f"adapter raised {error.__name__}"
    assert len(market.gateway.sent) == requests
    assert [type(event) for event in events()] == [Begun, Reported]


@pytest.mark.parametrize("given", [None, 7, "succeeded", GONE])
def test_what_is_no_evidence_is_unknown(market, events, scripted, given):
    def exchange(call):
        yield scripted.ask(call)
        return given

    scripted.exchanges["authorize"] = exchange
    assert market.asks("authorize", 100).status is Status.UNKNOWN
    assert [type(event) for event in events()] == [Begun, Reported]


def test_a_second_request_that_is_none_is_unknown(market, wire, scripted):
    def exchange(call):
        yield scripted.ask(call)
        yield "POST /confirm"

    scripted.exchanges["authorize"] = exchange
    assert market.asks("authorize", 100).status is Status.UNKNOWN
    assert len(wire.sent) == 1


def test_an_exchange_that_never_ends_is_broken_off(market, wire, events, scripted):
    def exchange(call):
        while True:
            yield scripted.ask(call)

    scripted.exchanges["authorize"] = exchange
    assert market.asks("authorize", 100).status is Status.UNKNOWN
    assert len(wire.sent) == MOST_REQUESTS
    assert [type(event) for event in events()] == [Begun, Reported]


def test_an_exchange_of_as_many_requests_as_are_allowed_ends_well(
    market, wire, scripted
):
    def exchange(call):
        for number in range(MOST_REQUESTS):
            yield scripted.ask(call, str(number))
        return scripted.says(call)

    scripted.exchanges["authorize"] = exchange
    assert market.asks("authorize", 100).status is Status.SUCCEEDED


@ANY_ERROR
@pytest.mark.parametrize("before", [[], [Reply(status=200)]], ids=["first", "second"])
def test_whatever_a_transport_raises_may_have_been_sent(
    market, events, two_steps, error, before
):
    market.gateway.answers = [*before, error("on the way")]
    answer = market.asks("authorize", 100)
    assert answer.status is Status.UNKNOWN
    assert not answer.may_send_again
    assert [type(event) for event in events()] == [Begun, Reported]
    assert market.asks("authorize", 100).is_recorded


@pytest.mark.parametrize(
    "given",
    [
        None,
        200,
        {"status": 200},
        Reply(status="200"),
        Reply(status=200, body="{}"),
        Failure(sent=None, reason="nobody knows"),
        Failure(sent=0, reason="nobody knows"),
    ],
)
def test_what_is_no_reply_may_have_been_sent(market, wire, events, two_steps, given):
    wire.answers = [lambda: given]
    assert market.asks("authorize", 100).status is Status.UNKNOWN
    assert [type(event) for event in events()] == [Begun, Reported]


@ANY_ERROR
def test_whatever_a_transport_raises_an_inquiry_had_no_answer(market, wire, error):
    market.adapter.once("authorize", "unknown")
    market.asks("authorize", 100)

    def inquiry(call):
        reply = yield market.adapter.ask(call)
        assert reply.sent
        return market.adapter.says(call, "unknown")

    market.adapter.exchanges["inquiry"] = inquiry
    wire.answers = [error("on the way")]
    (answer,) = market.call("recover_transaction", "order-1")
    assert answer.status is Status.UNKNOWN


@ANY_ERROR
def test_whatever_a_transport_raises_a_notification_is_not_refused(
    market, wire, scripted, error
):
    heard = []

    def received(notification):
        heard.append((yield Request(method="GET", url="scripted:order")))
        return ()

    scripted.heard = received
    wire.answers = [error("on the way")]
    market.call("receive_notification", {}, b"")
    (reply,) = heard
    assert isinstance(reply, Failure)
    assert reply.sent


# ── what has left, and what has not ─────────────────────────────────────────────────


def test_what_never_left_is_declined(market, wire, two_steps):
    wire.answers = [GONE]
    answer = market.asks("authorize", 100)
    assert answer.status is Status.DECLINED
    assert answer.may_send_again


@pytest.mark.parametrize("before", [Reply(status=200), LOST])
def test_a_later_request_that_never_left_does_not_undo_the_first(
    market, wire, scripted, before
):
    def exchange(call):
        yield scripted.ask(call, "make")
        reply = yield scripted.ask(call, "confirm")
        return scripted.says(call, "declined", never_sent=not reply.sent)

    scripted.exchanges["authorize"] = exchange
    wire.answers = [before, GONE]
    answer = market.asks("authorize", 100)
    assert answer.status is Status.UNKNOWN
    assert not answer.may_send_again


def test_no_silence_is_a_refusal(market, wire, scripted):
    def exchange(call):
        yield scripted.ask(call)
        return scripted.says(call, "declined")

    scripted.exchanges["authorize"] = exchange
    wire.answers = [LOST]
    assert market.asks("authorize", 100).status is Status.UNKNOWN


def test_a_refusal_after_a_failure_is_one(market, wire, scripted):
    def exchange(call):
        yield scripted.ask(call)
        yield scripted.ask(call)
        return scripted.says(call, "declined")

    scripted.exchanges["authorize"] = exchange
    wire.answers = [LOST, Reply(status=402)]
    assert market.asks("authorize", 100).status is Status.DECLINED


@pytest.mark.parametrize("outcome", ["succeeded", "pending"])
def test_nothing_happens_by_a_request_that_never_left(market, wire, scripted, outcome):
    scripted.once("authorize", outcome)
    wire.answers = [GONE]
    assert market.asks("authorize", 100).status is Status.UNKNOWN


def test_the_minute_after_the_intent_counts_for_every_request(
    market, wire, clock, two_steps
):
    def slow():
        clock.passes(seconds=61)
        return Reply(status=200)

    wire.answers = [slow]
    answer = market.asks("authorize", 100)
    assert answer.status is Status.UNKNOWN
    assert wire.urls == ["authorize/make"]


def test_an_inquiry_may_take_several_requests_too(market, wire, scripted):
    scripted.once("authorize", "pending")
    market.asks("authorize", 100)

    def inquiry(call):
        yield scripted.ask(call, "order")
        yield scripted.ask(call, "refunds")
        return scripted.says(call)

    scripted.exchanges["inquiry"] = inquiry
    assert market.call("reconcile", "order-1").readable
    assert wire.urls[1:] == ["inquiry/order", "inquiry/refunds"]


# ── seals ───────────────────────────────────────────────────────────────────────────


def test_every_request_is_sealed_as_it_goes_out(market, wire, clock, scripted):
    def signs(request, at, nonce):
        assert len(nonce) == 16
        signed = f"{at.isoformat()} {nonce.hex()}"
        return Request(method="POST", url=request.url, headers=(("Signed", signed),))

    def exchange(call):
        yield scripted.ask(call, "1")
        clock.passes(seconds=5)
        yield scripted.ask(call, "2")
        return scripted.says(call)

    scripted.signs, scripted.exchanges["authorize"] = signs, exchange
    assert market.asks("authorize", 100).status is Status.SUCCEEDED
    first, second = (dict(request.headers)["Signed"] for request in wire.sent)
    assert first == f"2026-01-02T03:04:05+00:00 {'00' * 16}"
    assert second == f"2026-01-02T03:04:10+00:00 {'00' * 16}"


def _raise(*_):
    raise StoreBusy


@pytest.mark.parametrize("signs", [_raise, lambda *_: None], ids=["raises", "none"])
def test_what_cannot_be_sealed_is_not_sent(market, wire, two_steps, scripted, signs):
    scripted.signs = signs
    answer = market.asks("authorize", 100)
    assert (answer.status, wire.sent) == (Status.DECLINED, [])
    assert answer.evidence.never_sent
