"""The consumer came back with a token, and it must be sent on: an intent like any other."""

from datetime import timedelta

import pytest

from kessai import Recovery, Status, StillUnderWay
from kessai.errors import InvalidInput, UnknownTransaction
from kessai.gateway import INQUIRY, Failure, Reply
from kessai.machine import Reported, Resumed

TOKEN = {"token": "tok_secret", "payer": "py_1"}
LOST = Failure(sent=True, reason="ReadTimeout")
GONE = Failure(sent=False, reason="ConnectError")


@pytest.fixture
def page(market, scripted):
    """An opening command whose consumer was sent to the gateway's page."""

    def exchange(call):
        if call.resumed is None:
            yield scripted.ask(call, "open")
            return scripted.says(call, "pending", references={"order": "o_1"})
        reply = yield scripted.ask(call, f"take {call.resumed['token']}")
        if isinstance(reply, Failure):
            outcome = "unknown" if reply.sent else "declined"
            return scripted.says(call, outcome, never_sent=not reply.sent)
        return scripted.says(call, {200: "succeeded", 202: "pending"}[reply.status])

    scripted.exchanges["authorize"] = exchange
    market.asks("authorize", 100, key="k")
    return market


def resume(market, parameters=TOKEN):
    return market.call("resume", "order-1", parameters)


def test_what_the_consumer_brought_is_sent_on_and_ends_the_opening(page, wire, events):
    answer = resume(page)
    assert (answer.status, answer.key) == (Status.SUCCEEDED, "k")
    assert page.status == "payment.authorized"
    assert wire.urls == ["authorize/open", "authorize/take tok_secret"]
    _, _, resumed, reported = events()
    assert (type(resumed), type(reported)) == (Resumed, Reported)
    assert (resumed.operation, resumed.at) == ("order-1.1", page.clock.now)


def test_the_intent_is_there_before_it_is_sent_and_holds_no_token(page, wire, store):
    found = []
    wire.answers = [lambda: found.append(len(store.records("order-1"))) or LOST]
    resume(page)
    assert found == [3]
    kept = b"".join(record.body for record in store.records("order-1"))
    assert b"tok_secret" not in kept
    assert b"py_1" not in kept
    assert "tok_secret" not in repr(store.load(None, "order-1", None))


def test_the_page_of_return_may_be_loaded_again_after_the_end(page, wire):
    resume(page)
    again = resume(page, {"token": "another"})
    assert (again.status, len(wire.sent)) == (Status.SUCCEEDED, 2)


def test_what_was_accepted_is_not_sent_on_again(page, wire, events):
    wire.answers = [reply(202)]
    assert resume(page).status is Status.PENDING
    assert resume(page).status is Status.PENDING
    assert len(wire.sent) == 2
    assert resume(page, {"token": "another"}).status is Status.SUCCEEDED
    assert len(wire.sent) == 3
    events()


def test_what_was_lost_is_sent_on_again_under_the_same_key(page, wire, clock, events):
    wire.answers = [LOST]
    assert resume(page).status is Status.UNKNOWN
    assert resume(page).status is Status.SUCCEEDED
    opened, lost, again = wire.keys
    assert lost == again != opened
    events()


def test_other_parameters_have_another_key(page, wire):
    wire.answers = [LOST, LOST]
    resume(page)
    resume(page, {**TOKEN, "payer": "py_2"})
    assert len(set(wire.keys)) == 3


def test_what_never_left_leaves_the_opening_open(page, wire, scripted, events):
    """Its first request did leave: the gateway knows the order."""
    wire.answers = [GONE]
    answer = resume(page)
    assert (answer.status, answer.may_send_again) == (Status.UNKNOWN, False)
    assert page.status == "payment.requested"
    assert resume(page).status is Status.SUCCEEDED
    events()


def test_no_refusal_is_believed_where_nothing_was_sent_on(page, wire, scripted):
    opening = scripted.exchanges["authorize"]

    def exchange(call):
        if call.resumed is None:
            return (yield from opening(call))
        yield scripted.ask(call)
        return scripted.says(call, "declined")

    scripted.exchanges["authorize"] = exchange
    wire.answers = [GONE]
    assert resume(page).status is Status.UNKNOWN
    # The trail does not say that it never left; a gateway that knows keys answers for both.
    assert resume(page).status is Status.UNKNOWN
    scripted.replays = timedelta(days=1)
    assert resume(page).status is Status.DECLINED


def test_a_second_click_waits_for_the_first(page, wire):
    """Both would be sent at once, and only one token is good."""
    clicked = []

    def clicks_again():
        with pytest.raises(StillUnderWay):
            resume(other, {"token": "second"})
        clicked.append(True)
        return reply(200)

    other = page.another("sync")
    wire.answers = [clicks_again]
    assert resume(page).status is Status.SUCCEEDED
    assert clicked == [True]


def test_a_process_that_died_while_sending_on_keeps_nobody_waiting(
    page, wire, clock, scripted, events
):
    wire.answers = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        resume(page)
    with pytest.raises(StillUnderWay):
        resume(page)
    clock.passes(minutes=3)
    assert resume(page).status is Status.SUCCEEDED
    events()


@pytest.mark.parametrize("missing", ["decline", "resend"])
def test_a_resumed_opening_is_neither_presumed_lost_nor_sent_again(
    page, wire, clock, scripted, missing
):
    """Its token is kept nowhere, and the gateway had heard of it before."""
    wire.answers = [LOST]
    resume(page)
    scripted.once(INQUIRY)  # lists nothing
    clock.passes(hours=1)
    (answer,) = page.recover(Recovery(missing=missing))
    assert answer.status is Status.UNKNOWN
    assert [url for url in wire.urls if url.startswith("authorize")] == [
        "authorize/open",
        "authorize/take tok_secret",
    ]


def test_nothing_is_resumed_that_never_was(market):
    with pytest.raises(UnknownTransaction):
        resume(market)


@pytest.mark.parametrize(
    "parameters",
    [None, "token", {"token": 1}, {1: "token"}, {"a": "\x00"}, {"a": "x" * 20_000}],
    ids=str,
)
def test_only_texts_can_be_sent_on(page, wire, parameters):
    with pytest.raises(InvalidInput, match=r"^parameters: must be") as refused:
        resume(page, parameters)
    assert "token" not in str(refused.value)
    assert len(wire.sent) == 1


def test_an_adapter_of_two_functions_has_nothing_to_send_on(shop, gateway):
    gateway.answers = [{"outcome": "pending"}]
    shop.asks("authorize", 100)
    with pytest.raises(InvalidInput, match="nothing that a consumer brings back"):
        shop.call("resume", "order-1", TOKEN)
    assert len(gateway.sent) == 1
    assert len(shop.store.records("order-1")) == 2


def reply(status):
    return Reply(status=status)
