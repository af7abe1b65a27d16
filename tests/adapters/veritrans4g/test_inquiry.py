"""What an inquiry resolves, and what it leaves unknown."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from kessai.gateway import (
    INQUIRY,
    Call,
    Evidence,
    Failure,
    ListedExchange,
    Outcome,
    Reply,
    Source,
)
from kessai_adapters.veritrans4g import VeriTrans4G

Inquired = Callable[[str], Evidence]
CALL = Call(command=INQUIRY, transaction="order-1001", lifecycle="one_time")


def jst(text: str) -> datetime:
    """A moment that is given in Japan's time, in UTC."""
    return datetime.fromisoformat(f"2024-03-01 {text}+09:00").astimezone(UTC)


def test_after_a_lost_reply_the_list_shows_what_happened(inquired: Inquired) -> None:
    assert inquired("inquiry-after-a-lost-reply") == Evidence(
        source=Source.INQUIRY,
        transaction="order-1001",
        command=None,
        outcome=Outcome.SUCCEEDED,
        code="N001000000000000",
        listing=(
            ListedExchange(
                command="authorize",
                outcome=Outcome.SUCCEEDED,
                amount=3300,
                exchange="10435077",
                at=jst("09:30"),
            ),
            ListedExchange(
                command="capture",
                outcome=Outcome.DECLINED,
                exchange="10435089",
                at=jst("09:34:05.383"),
            ),
            ListedExchange(
                command="capture",
                outcome=Outcome.SUCCEEDED,
                amount=1200,
                exchange="10435091",
                at=jst("09:34:42.092"),
            ),
            ListedExchange(
                command="refund",
                outcome=Outcome.PENDING,
                amount=300,
                exchange="10435093",
                at=jst("23:59:59.999"),
            ),
        ),
    )


def test_among_several_orders_only_ours_is_read(inquired: Inquired) -> None:
    (listed,) = inquired("inquiry-among-several").listing
    assert listed.exchange == "10435077"


def test_an_expired_authorization_is_listed_on_its_own(inquired: Inquired) -> None:
    listing = inquired("inquiry-of-an-expired-authorization").listing
    assert listing[-1] == ListedExchange(command="expire", outcome=Outcome.SUCCEEDED)
    assert len(listing) == 2


def test_an_order_the_gateway_does_not_know_is_not_found(inquired: Inquired) -> None:
    evidence = inquired("inquiry-of-an-unknown-order")
    assert (evidence.outcome, evidence.found) == (Outcome.SUCCEEDED, False)
    assert evidence.listing == ()


@pytest.mark.parametrize(
    ("story", "code"),
    [
        ("inquiry-that-failed", "NZ01000000000000"),
        ("inquiry-with-only-strangers", "N001000000000000"),
        ("inquiry-without-its-list", "N001000000000000"),
        ("capture-down-for-maintenance", "MF07"),
        ("capture-answered-by-a-proxy", "MF99"),
        ("capture-cut-off", "MF99"),
        ("capture-with-two-verdicts", "MF99"),
        ("capture-partial", "A001000000000000"),
    ],
)
def test_an_answer_that_is_not_whole_resolves_nothing(
    story: str, code: str, inquired: Inquired
) -> None:
    evidence = inquired(story)
    assert evidence.outcome is Outcome.UNKNOWN
    assert (evidence.code, evidence.listing, evidence.found) == (code, (), True)
    assert evidence.command is None


@pytest.mark.parametrize(
    ("sent", "code"),
    [(False, "MF02"), (True, "MF03")],
    ids=["never sent", "broken off"],
)
def test_an_inquiry_without_an_answer_declines_nothing(
    *, sent: bool, code: str, adapter: VeriTrans4G
) -> None:
    evidence = adapter.evidence(CALL, Failure(sent=sent, reason="no route"))
    assert (evidence.outcome, evidence.code) == (Outcome.UNKNOWN, code)
    assert evidence.never_sent is not sent


def ours(*exchanges: object, **members: Any) -> dict[str, Any]:
    listed = {"transactionInfo": list(exchanges)}
    return {"orderId": "order-1001", "transactionInfos": listed, **members}


@pytest.mark.parametrize(
    "result",
    [
        {"mstatus": "success"},
        {"mstatus": "success", "searchCount": 1},
        {"mstatus": "success", "searchCount": "none"},
        {"mstatus": "success", "searchCount": 2, "orderInfos": {"orderInfo": []}},
        {"mstatus": "success", "orderInfos": {"orderInfo": {}}},
        {"mstatus": "success", "orderInfos": {"orderInfo": None}},
        {"mstatus": "success", "orderInfos": {"orderInfo": "order-1001"}},
        {"mstatus": "success", "orderInfos": {"orderInfo": ["order-1001"]}},
        {"mstatus": "success", "orderInfos": {"orderInfo": [ours(), ours()]}},
        {
            "mstatus": "success",
            "orderInfos": {"orderInfo": [ours(serviceTypeCd="card")]},
        },
        {"mstatus": "success", "orderInfos": {"orderInfo": [ours("Capture")]}},
        {"mstatus": "success", "orderInfos": {"orderInfo": [ours({"command": 7})]}},
        {"mstatus": "pending", "orderInfos": {"orderInfo": [ours()]}},
    ],
)
def test_an_answer_that_contradicts_itself_resolves_nothing(
    result: dict[str, object], adapter: VeriTrans4G
) -> None:
    reply = Reply(status=200, body=json.dumps({"result": result}).encode())
    assert adapter.evidence(CALL, reply).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "moment",
    ["2024-02-30 00:00:00.0", "2024-03-01T09:30:00+09:00", 20240301093000, None],
)
def test_a_fact_keeps_only_what_it_can_read(
    moment: object, adapter: VeriTrans4G
) -> None:
    exchange = {
        "command": "Capture",
        "mstatus": "perhaps",
        "amount": "1,200",
        "txnId": "山田",
        "txnDatetime": moment,
    }
    result = {"mstatus": "success", "orderInfos": {"orderInfo": [ours(exchange)]}}
    reply = Reply(status=200, body=json.dumps({"result": result}).encode())
    evidence = adapter.evidence(CALL, reply)
    assert evidence.listing == (
        ListedExchange(command="capture", outcome=Outcome.UNKNOWN),
    )
