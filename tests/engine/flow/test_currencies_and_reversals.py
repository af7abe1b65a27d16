"""A wallet payment through the flows: its currency in every call, a refund sent back."""

import json
from datetime import UTC
from pathlib import Path

import pytest

from kessai import Command, Status
from kessai.export import EXPORTS, Period
from kessai.flow import Context, execute, inquire, receive_notification
from kessai.flow.notification import NotificationNotConfirmed
from kessai.gateway import Failure
from kessai.machine import Machines
from kessai.spec import load_file

WALLET = load_file(Path(__file__).parent.parent / "prove" / "wallet.toml")


@pytest.fixture
def wallet(hand):
    hand.context = Context(Machines([WALLET]), hand.context.adapters.values())
    return hand


@pytest.fixture
def calls(wallet):
    """What the adapter is asked for, in order."""
    asked, plain = [], wallet.context.adapter_for(None).adapter
    request = plain.request

    def remember(call):
        asked.append(call)
        return request(call)

    plain.request = remember
    return asked


def asked(name, amount=None, currency=None, **parameters):
    return Command(
        name,
        "order-1",
        key=f"{name} {amount}",
        amount=amount,
        currency=currency,
        parameters=parameters,
    )


@pytest.fixture
def sold(wallet):
    """60 dollars captured, all of it refunded."""
    wallet.execute(asked("authorize", 6000, "USD", with_capture=True))
    wallet.execute(asked("refund", 6000))
    return wallet


def sent_back(hand):
    """What the gateway lists once the refund has come back."""
    hand.gateway.listed["order-1"] = [
        ("authorize", "succeeded", 6000),
        ("refund", "reversed", 6000),
    ]


def standing(hand):
    return hand.store.load(None, "order-1", None).transaction


def notified(hand, outcome):
    stated = {"command": "refund", "outcome": outcome, "transaction": "order-1"}
    body = json.dumps([{**stated, "amount": 6000}]).encode()
    return hand.run(receive_notification(hand.context, {"from": "plain"}, body))


def test_every_call_is_in_the_currency_of_its_transaction(wallet, calls):
    wallet.execute(asked("authorize", 6000, "USD"))
    wallet.execute(asked("capture"))
    wallet.run(inquire(wallet.context, "order-1"))
    assert [(call.command, call.currency) for call in calls] == [
        ("authorize", "USD"),
        ("capture", "USD"),
        ("inquiry", "USD"),
    ]
    assert standing(wallet).currency == "USD"


def test_a_denial_is_recorded_with_amounts_in_the_currency_asked_for(wallet):
    command = asked("authorize", 1, "USD")
    first, again = wallet.execute(command), wallet.execute(command)
    assert (first.status, again.is_recorded) == (Status.DENIED, True)
    for answer in (first, again):
        assert answer.denial.sentences("en") == (
            "The amount would be 0.01 USD; the smallest possible is 0.50 USD.",
        )


def test_the_same_key_for_another_currency_is_a_conflict(wallet):
    wallet.execute(asked("authorize", 6000, "USD"))
    answer = wallet.run(execute(wallet.context, asked("authorize", 6000, "JPY")))
    assert answer.denial.codes == ("key_conflict",)


def test_an_inquiry_that_lists_a_refund_as_reversed_takes_it_back_once(sold):
    sent_back(sold)
    for _ in range(2):
        sold.run(inquire(sold.context, "order-1"))
    found = standing(sold)
    assert (found.status, found.amounts["refunded"]) == ("payment.captured", 0)
    assert not found.discrepancies
    assert sold.execute(asked("refund", 5999)).status is Status.SUCCEEDED


def test_a_total_that_has_fallen_takes_a_refund_back(sold):
    totals = {"captured": 6000, "refunded": 2500}
    for _ in range(2):
        sold.gateway.answers = [{"listing": [], "totals": totals}]
        sold.run(inquire(sold.context, "order-1"))
    found = standing(sold)
    assert found.amounts["refunded"] == 2500
    assert (found.status, found.discrepancies) == ("payment.partially_refunded", {})


def test_a_total_that_a_reversal_explains_as_well_leaves_both_refunds_open(wallet):
    wallet.execute(asked("authorize", 6000, "USD", with_capture=True))
    wallet.execute(asked("refund", 1000))
    for amount in (1001, 2001):
        wallet.gateway.answers = [Failure(sent=True, reason="ReadTimeout")]
        wallet.execute(asked("refund", amount))
    # The first of the open ones, or the other while the first refund was sent back.
    totals = {"captured": 6000, "refunded": 2001}
    wallet.gateway.answers = [{"listing": [], "totals": totals}]
    wallet.run(inquire(wallet.context, "order-1"))
    found = standing(wallet)
    assert [one.amount for one in found.operations.values()] == [1001, 2001]
    assert (found.amounts["refunded"], found.discrepancies) == (1000, {})


def test_a_total_that_only_a_refund_and_a_reversal_explain_applies_both(wallet):
    wallet.execute(asked("authorize", 6000, "USD", with_capture=True))
    wallet.execute(asked("refund", 1000))
    wallet.gateway.answers = [Failure(sent=True, reason="ReadTimeout")]
    wallet.execute(asked("refund", 2500))
    totals = {"captured": 6000, "refunded": 2500}
    wallet.gateway.answers = [{"listing": [], "totals": totals}]
    wallet.run(inquire(wallet.context, "order-1"))
    found = standing(wallet)
    assert (found.operations, found.discrepancies) == ({}, {})
    assert found.amounts["refunded"] == 2500


def test_a_reversal_is_exported_as_a_movement_of_its_own_in_its_currency(sold):
    sent_back(sold)
    sold.run(inquire(sold.context, "order-1"))
    movements = list(EXPORTS["movements"](sold.store, Period(UTC), "en").rows)
    assert [
        (row["command"], row["amount_name"], row["shown"]) for row in movements
    ] == [
        ("authorize", "authorized", "60.00 USD"),
        ("authorize", "captured", "60.00 USD"),
        ("refund", "refunded", "60.00 USD"),
        ("refund", "refunded", "-60.00 USD"),
    ]
    *_, last = EXPORTS["events"](sold.store, Period(UTC), "en").rows
    assert (last["kind"], last["outcome"], last["shown"]) == (
        *("reversed", "reversed"),
        "60.00 USD",
    )


def test_a_notified_reversal_is_believed_once_the_gateway_lists_it(sold):
    sent_back(sold)
    for _ in range(2):
        notified(sold, "reversed")
    assert standing(sold).amounts["refunded"] == 0


def test_a_notified_reversal_that_is_not_listed_stands_as_a_discrepancy(sold):
    with pytest.raises(NotificationNotConfirmed):
        notified(sold, "reversed")
    found = standing(sold)
    assert found.amounts["refunded"] == 6000
    assert len(found.discrepancies) == 1


def test_a_reply_that_states_reversed_is_a_success_and_an_inquiry_finds_the_rest(
    wallet,
):
    wallet.execute(asked("authorize", 6000, "USD", with_capture=True))
    wallet.gateway.answers = [{"outcome": "reversed"}]
    sent_back(wallet)
    answer = wallet.execute(asked("refund", 6000))
    assert answer.status is Status.SUCCEEDED
    found = standing(wallet)
    assert (found.status, found.amounts["refunded"]) == ("payment.captured", 0)
