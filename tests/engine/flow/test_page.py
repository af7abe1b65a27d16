"""The first answer is lost, and the consumer's page with it: it is asked for again."""

from datetime import timedelta

import pytest

from kessai import Command, Status
from kessai.flow import Context, Send, execute
from kessai.gateway import INQUIRY, Failure, ListedExchange, Outcome
from kessai.limits import SEND_WITHIN

LOST = Failure(sent=True, reason="ReadTimeout")
PAGE = "https://pay.example/session-secret"
WAITS = ListedExchange(command="authorize", outcome=Outcome.PENDING, amount=100)


@pytest.fixture
def checkout(market, scripted):
    """A gateway that sends consumers to a page, and repeats its answer for a day."""

    def exchange(call):
        reply = yield scripted.ask(call, "open")
        if isinstance(reply, Failure):
            return scripted.says(call, "unknown")
        return scripted.says(
            call, "pending", references={"order": "o_1"}, disclosed={"page": PAGE}
        )

    def page(call):
        call.key()
        return exchange(call)

    scripted.exchanges["authorize"], scripted.page = exchange, page
    scripted.replays = timedelta(days=1)
    scripted.once(INQUIRY, listing=(WAITS,))
    return market


def authorize(market):
    return market.asks("authorize", 100, key="k")


def test_the_same_key_gives_the_page_again(checkout, wire, events):
    first, again = authorize(checkout), authorize(checkout)
    assert first.disclosed == again.disclosed == {"page": PAGE}
    assert (again.status, again.is_recorded) == (Status.PENDING, True)
    assert wire.sent[0] == wire.sent[1]
    assert len(events()) == 2


def test_the_page_is_kept_nowhere(checkout, store, caplog):
    authorize(checkout)
    answer = authorize(checkout)
    kept = [record.body for record in store.records("order-1")]
    assert PAGE not in repr((kept, store.load("k", "order-1", None), answer))
    assert PAGE not in caplog.text


def test_a_process_that_died_with_the_answer_is_no_end_of_the_checkout(
    checkout, wire, clock, events
):
    wire.answers = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        authorize(checkout)
    at_once = authorize(checkout)  # somebody may still wait for the reply
    assert (at_once.disclosed, len(wire.sent)) == ({}, 1)
    clock.passes(minutes=3)
    answer = authorize(checkout)
    assert (answer.status, answer.disclosed["page"]) == (Status.PENDING, PAGE)
    assert wire.urls == ["authorize/open", "inquiry/", "authorize/open"]
    events()


def test_a_lost_reply_is_inquired_about_before_the_page_is_asked_for(checkout, wire):
    wire.answers = [LOST]
    assert authorize(checkout).status is Status.UNKNOWN
    answer = authorize(checkout)
    assert (answer.status, answer.disclosed["page"]) == (Status.PENDING, PAGE)


def test_what_the_gateway_does_not_know_of_is_not_sent_again_for_its_page(
    checkout, wire, scripted
):
    """It may be on its way: that is left to recovery."""
    wire.answers = [LOST]
    authorize(checkout)
    scripted.once(INQUIRY)
    answer = authorize(checkout)
    assert (answer.status, answer.disclosed) == (Status.UNKNOWN, {})
    assert wire.urls == ["authorize/open", "inquiry/"]


def test_whoever_has_approved_meanwhile_needs_no_page(checkout, wire, scripted):
    wire.answers = [LOST]
    authorize(checkout)
    done = ListedExchange(command="authorize", outcome=Outcome.SUCCEEDED, amount=100)
    scripted.once(INQUIRY, listing=(done,))
    for _ in range(2):
        answer = authorize(checkout)
        assert (answer.status, answer.disclosed) == (Status.SUCCEEDED, {})
    assert wire.urls == ["authorize/open", "inquiry/"]


def test_a_gateway_that_does_not_answer_is_asked_another_time(checkout, wire):
    authorize(checkout)
    wire.answers = [LOST]
    answer = authorize(checkout)
    assert (answer.status, answer.disclosed) == (Status.PENDING, {})
    assert not answer.is_page_lost
    assert authorize(checkout).disclosed == {"page": PAGE}


def test_no_key_is_used_that_the_gateway_may_have_forgotten(checkout, wire, clock):
    """The same request would be another checkout."""
    authorize(checkout)
    clock.passes(hours=23, minutes=50)
    assert authorize(checkout).disclosed == {"page": PAGE}
    clock.passes(seconds=1)
    answer = authorize(checkout)
    assert (answer.disclosed, answer.is_page_lost) == ({}, True)
    assert len(wire.sent) == 2


def test_a_process_that_sleeps_asks_no_more(checkout, hand, scripted, wire, clock):
    """When it wakes up the key may be forgotten."""
    authorize(checkout)
    hand.store, hand.gateway = checkout.store, wire
    hand.context = Context(hand.context.machines, [scripted])
    asked = Command("authorize", "order-1", key="k", lifecycle="one_time", amount=100)
    hand.run(execute(hand.context, asked))
    (send,) = [effect for effect in hand.effects if isinstance(effect, Send)]
    assert send.until == clock.now + SEND_WITHIN


def test_a_page_that_can_be_read_needs_no_key(checkout, wire, scripted, clock):
    def reads(call):
        yield scripted.ask(call, call.references["order"])
        return scripted.says(call, "unknown", disclosed={"page": PAGE})

    scripted.page, scripted.replays = reads, None
    authorize(checkout)
    clock.passes(hours=30)
    assert authorize(checkout).disclosed == {"page": PAGE}
    assert wire.urls[1] == "authorize/o_1"
    assert not wire.keys[1]


def test_nothing_but_the_page_is_believed_of_it(checkout, scripted, events):
    authorize(checkout)

    def exaggerates(call):
        yield scripted.ask(call, "open")
        return scripted.says(call, disclosed={"page": PAGE})

    scripted.page = exaggerates
    assert authorize(checkout).status is Status.PENDING
    assert len(events()) == 2


def test_an_adapter_that_breaks_over_it_breaks_no_answer(checkout, scripted):
    authorize(checkout)

    def breaks(call):
        yield scripted.ask(call, "open")
        raise RuntimeError

    scripted.page = breaks
    answer = authorize(checkout)
    assert (answer.status, answer.disclosed) == (Status.PENDING, {})


def test_whoever_has_come_back_is_not_sent_on_again(checkout, wire, scripted):
    opens = scripted.exchanges["authorize"]

    def exchange(call):
        if call.resumed is None:
            return (yield from opens(call))
        yield scripted.ask(call, "take")
        return scripted.says(call, "pending")

    scripted.exchanges["authorize"] = exchange
    authorize(checkout)
    checkout.call("resume", "order-1", {"token": "t"})
    answer = authorize(checkout)
    assert (answer.disclosed, answer.is_page_lost, len(wire.sent)) == ({}, False, 2)


# ── where the gateway gives it once ─────────────────────────────────────────────────


def test_the_answer_says_where_it_cannot_be_had_again(shop, gateway):
    gateway.answers = [{"outcome": "pending"}]
    assert not shop.asks("authorize", 100).is_page_lost
    again = shop.asks("authorize", 100)
    assert (again.status, again.is_page_lost) == (Status.PENDING, True)
    assert gateway.commands == ["authorize"]


def test_what_is_not_known_to_have_arrived_is_not_lost_yet(shop, gateway, lost):
    gateway.answers = [lost]
    shop.asks("authorize", 100)
    assert not shop.asks("authorize", 100).is_page_lost


def test_a_recorded_answer_needs_no_adapter(shop, gateway):
    """The account's adapter may be another process's."""
    gateway.answers = [{"outcome": "pending"}]
    shop.asks("authorize", 100)
    shop.adapter.account = "another"
    again = shop.another().asks("authorize", 100)
    assert (again.status, again.is_page_lost) == (Status.PENDING, False)
