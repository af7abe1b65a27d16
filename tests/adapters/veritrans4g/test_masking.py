"""What may stand in a log, searched for everything that was planted."""

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kessai.gateway import Call, Failure, Reply
from kessai_adapters.veritrans4g import VeriTrans4G, exchange_for_log, mask

PLANTED = {
    "shippingName": "planted-name",
    "shippingPhone": "planted-phone",
    "shippingAddress1": "planted-street",
    "shippingPrefecture": "planted-prefecture",
    "shippingPostalCode": "planted-postal-code",
    "buyerId": "planted-buyer",
    "buyerEmail": "planted@example.jp",
    "buyerName": "planted-buyer-name",
    "buyerPhoneNumber": "planted-number",
    "billingAddress2": "planted-billing",
    "authHash": "ab" * 32,
    "vAuthInfo": "cd" * 32,
    "token": "planted-token",
    "merchantSecretKey": "ef" * 32,
    "responseContents": "<html>planted-page</html>",
    "merrMsg": "planted-message",
    "payRedirectUrl": "https://pay.example/planted",
    "checkoutSessionId": "planted-session",
    "noteToBuyer": "planted-note",
    "buyerName0000": "planted-in-a-notification",
}


def test_everything_planted_is_masked_and_the_rest_is_kept() -> None:
    exchange = {
        "result": {**PLANTED, "mstatus": "success", "orderId": "order-1001"},
        "many": [PLANTED, ("amount", 3300, None, True)],
    }
    text = repr(mask(exchange))
    for value in PLANTED.values():
        assert value not in text
    assert "'mstatus': 'success', 'orderId': 'order-1001'" in text
    assert "['amount', 3300, None, True]" in text


def test_a_secret_under_an_innocent_name_is_masked_for_its_looks(secret: str) -> None:
    assert mask({"memo1": f"key {secret}"}) == {"memo1": "***"}
    assert mask({"memo1": "taro@example.jp"}) == {"memo1": "***"}
    assert mask({secret: "x"}) == {"***": "***"} or secret not in repr(
        mask({secret: 1})
    )


def test_bytes_and_strange_things_are_masked_whole() -> None:
    assert mask([b"body", object()]) == ["***", "***"]


def test_what_nests_without_end_is_cut_off() -> None:
    endless: list[object] = []
    endless.append(endless)
    assert "***" in repr(mask(endless))


def test_an_exchange_is_traceable_and_tells_nothing_of_the_consumer(
    adapter: VeriTrans4G, recorded: Callable[[str], Any], secret: str
) -> None:
    call = Call(
        command="get_address",
        transaction="order-1001",
        lifecycle="one_time",
        operation="op-3",
        parameters={"details": True},
    )
    request = adapter.request(call)
    reply = recorded("get-address-with-details.reply").reply
    entry = exchange_for_log(call, request, reply)
    assert entry == {
        "command": "GetAddress",
        "orderId": "order-1001",
        "amount": None,
        "operation": "op-3",
        "url": "https://api3.veritrans.co.jp/test-paynow/v2/GetAddress/amazonpay",
        "requestBytes": len(request.body),
        "status": 200,
        "replyBytes": len(reply.body),
        "mstatus": "success",
        "vResultCode": "A001000000000000",
        "custTxn": "10434986",
        "centerResponseDatetime": "2024-03-01T00:34:56+00:00",
    }
    assert secret not in repr(entry)


def test_an_exchange_without_an_answer_carries_the_vendors_code(
    adapter: VeriTrans4G,
) -> None:
    call = Call(command="capture", transaction="order-1001", lifecycle="one_time")
    request = adapter.request(call)
    lost = exchange_for_log(call, request, Failure(sent=True, reason="planted"))
    assert lost["vResultCode"] == "MF03"
    assert "planted" not in repr(lost)
    unsent = exchange_for_log(call, request, Failure(sent=False, reason="planted"))
    assert unsent["vResultCode"] == "MF02"
    assert "vResultCode" not in exchange_for_log(call, request)


@settings(deadline=None)
@given(body=st.binary(), status=st.integers())
def test_no_reply_whatever_breaks_the_log(
    body: bytes, status: int, adapter: VeriTrans4G
) -> None:
    call = Call(command="capture", transaction="order-1001", lifecycle="one_time")
    reply = Reply(status=status, body=body)
    assert exchange_for_log(call, adapter.request(call), reply)["status"] == status
