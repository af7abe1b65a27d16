"""Replies that are rare, or that nobody should believe."""

import json

import pytest

from kessai.gateway import INQUIRY, Call, Outcome, Reply
from kessai_adapters.stripe import Stripe
from kessai_adapters.stripe.samples import (
    AUTHORIZE,
    CAPTURE,
    ENVIRONMENT,
    INQUIRE,
    REFUND,
    SEARCH,
)

ADAPTER = Stripe.from_environment(ENVIRONMENT)


def reads(call, *replies):
    exchange = ADAPTER.exchange(call)
    next(exchange)
    for status, body in replies:
        reply = Reply(status=status, body=json.dumps(body).encode())
        try:
            exchange.send(reply)
        except StopIteration as stop:
            return stop.value
    return None


def intent(**more):
    return {
        "object": "payment_intent",
        "id": "pi_3OnRecord",
        "amount": 1000,
        "amount_received": 0,
        "capture_method": "manual",
        "currency": "jpy",
        "latest_charge": {"id": "ch_3OnRecord", "status": "succeeded"},
        "metadata": {"kessai_transaction": "order-7", "kessai_operation": "order-7.1"},
        "status": "requires_capture",
        **more,
    }


def refund(number, amount, **more):
    return {
        "object": "refund",
        "id": f"re_{number}",
        "amount": amount,
        "currency": "jpy",
        "payment_intent": "pi_3OnRecord",
        "status": "succeeded",
        "metadata": {},
        **more,
    }


def listing(*data, has_more=False):
    return {"object": "list", "data": list(data), "has_more": has_more}


CAPTURED = intent(status="succeeded", amount_received=400)


@pytest.mark.parametrize(
    ("status", "error", "outcome"),
    [
        (400, {"type": "invalid_request_error"}, Outcome.DECLINED),
        (400, {"type": "idempotency_error"}, Outcome.UNKNOWN),
        (401, {"type": "invalid_request_error"}, Outcome.DECLINED),
        (402, {"type": "card_error", "code": "card_declined"}, Outcome.UNKNOWN),
        (404, {"type": "invalid_request_error"}, Outcome.DECLINED),
        (409, {"type": "invalid_request_error"}, Outcome.UNKNOWN),
        (429, {"type": "invalid_request_error"}, Outcome.DECLINED),
        (500, {"type": "api_error"}, Outcome.UNKNOWN),
        (503, {"type": "api_error"}, Outcome.UNKNOWN),
        (429, {}, Outcome.UNKNOWN),
    ],
)
def test_an_error_is_read_by_what_it_means(status, error, outcome):
    assert reads(AUTHORIZE, (status, {"error": error})).outcome is outcome


@pytest.mark.parametrize(
    "change",
    [
        {"currency": "usd"},
        {"id": "pi_other"},
        {"metadata": {"kessai_transaction": "order-8"}},
        {"status": "of_tomorrow"},
        {"object": "charge"},
    ],
)
def test_the_intent_of_another_payment_is_no_evidence(change):
    assert reads(INQUIRE, (200, intent(**change))).outcome is Outcome.UNKNOWN


def test_a_capture_without_our_word_is_looked_up():
    evidence = reads(CAPTURE, (200, CAPTURED))
    assert (evidence.outcome, evidence.needs_inquiry) == (Outcome.UNKNOWN, True)


def test_of_refunds_alike_the_oldest_is_what_was_left_over():
    ours = {"kessai_transaction": "order-7", "kessai_operation": "order-7.5"}
    refunds = listing(
        refund(3, 600, status="pending"), refund(2, 100, metadata=ours), refund(1, 600)
    )
    evidence = reads(INQUIRE, (200, CAPTURED), (200, refunds))
    given_back = [one for one in evidence.listing if one.command == "refund"]
    assert [(one.exchange, one.outcome, one.operation) for one in given_back] == [
        ("re_2", Outcome.SUCCEEDED, "order-7.5"),
        ("re_3", Outcome.PENDING, None),
    ]


@pytest.mark.parametrize(
    ("balance", "outcome"), [("txn_1", Outcome.REVERSED), (None, Outcome.DECLINED)]
)
def test_a_refund_that_failed_had_moved_money_or_not(balance, outcome):
    failed = refund(1, 100, status="failed", failure_balance_transaction=balance)
    evidence = reads(INQUIRE, (200, CAPTURED), (200, listing(failed)))
    assert evidence.listing[-1].outcome is outcome
    ours = {"kessai_transaction": "order-7", "kessai_operation": "order-7.5"}
    assert (
        reads(REFUND, (200, {**failed, "metadata": ours})).outcome is Outcome.DECLINED
    )


def test_a_list_is_read_to_its_end():
    pages = [
        listing(*(refund(n, 1) for n in range(3)), has_more=True),
        listing(refund(9, 1)),
    ]
    evidence = reads(INQUIRE, (200, CAPTURED), *((200, page) for page in pages))
    assert sum(one.command == "refund" for one in evidence.listing) == 4


def test_a_list_that_breaks_off_or_never_ends_says_nothing():
    broken = reads(INQUIRE, (200, CAPTURED), (500, {}))
    endless = listing(refund(1, 1), has_more=True)
    told = reads(INQUIRE, (200, CAPTURED), *[(200, endless)] * 4)
    for evidence in (broken, told):
        assert (evidence.outcome, evidence.listing) == (Outcome.UNKNOWN, ())


def test_of_several_intents_of_one_order_an_operator_must_choose():
    two = listing(intent(id="pi_1"), intent(id="pi_2"))
    assert reads(SEARCH, (200, two)).outcome is Outcome.UNKNOWN
    declined = intent(id="pi_1", status="canceled", latest_charge=None)
    evidence = reads(SEARCH, (200, listing(declined, intent(id="pi_2"))))
    assert evidence.references["payment_intent"] == "pi_2"


def test_what_was_sent_again_is_looked_for_later():
    evidence = reads(SEARCH, (200, listing()), (200, listing(intent())))
    assert evidence.references["payment_intent"] == "pi_3OnRecord"
    assert reads(SEARCH, (200, listing()), (200, listing())).found is False
    too_many = listing(intent(metadata={}), has_more=True)
    evidence = reads(SEARCH, *[(200, too_many)] * 6)
    assert evidence.outcome is Outcome.UNKNOWN


def test_without_an_id_or_a_time_nothing_is_asked():
    call = Call(command=INQUIRY, transaction="order-7", lifecycle="card")
    with pytest.raises(StopIteration) as stop:
        next(ADAPTER.exchange(call))
    assert stop.value.value.outcome is Outcome.UNKNOWN


def test_an_inquiry_of_disputes_that_move_nothing_lists_none():
    disputed = intent(
        status="succeeded",
        amount_received=1000,
        latest_charge={"id": "ch_1", "status": "succeeded", "disputed": True},
    )
    warning = {"object": "dispute", "id": "dp_1", "amount": 5, "status": "prevented"}
    replies = (200, disputed), (200, listing()), (200, listing(warning))
    commands = [one.command for one in reads(INQUIRE, *replies).listing]
    assert commands == ["authorize", "capture"]
