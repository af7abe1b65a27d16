"""The inquiry: the evidence that resolves an unknown outcome."""

import pytest


def test_an_order_is_found_in_the_documented_shape(shop, clock):
    shop.captured("A-1", 1000)
    clock.pass_days(1)
    refund = shop.ok("Refund", "A-1", amount="300")

    found = shop.search("A-1")
    assert found["mstatus"] == "success"
    assert found["serviceType"] == "search"
    assert (found["searchCount"], found["overMaxCountFlag"]) == (1, "false")
    info = found["orderInfos"]["orderInfo"][0]
    assert info["serviceTypeCd"] == "amazonpay"
    assert info["orderId"] == "A-1"
    assert info["orderStatus"] == "partially_refunded"
    assert info["lastSuccessTxnType"] == info["successDetailTxnType"] == "Refund"
    assert info["properOrderInfo"] == {
        "centerOrderId": refund["centerOrderId"],
        "accountingType": "0",
    }
    assert info["transactionInfos"]["transactionInfo"][1] == {
        "txnId": refund["custTxn"],
        "command": "Refund",
        "mstatus": "success",
        "vResultCode": refund["vResultCode"],
        "txnDatetime": "2024-06-02 12:00:00.0",
        "amount": "300",
        "properTransactionInfo": {
            "centerTransactionId": refund["centerTransactionId"],
        },
    }


def test_an_unknown_order_is_found_zero_times(shop):
    found = shop.search("nowhere")
    assert found["mstatus"] == "success"
    assert found["searchCount"] == 0
    assert "orderInfos" not in found


def test_a_refusal_is_in_the_list_under_the_id_its_reply_gave(shop):
    shop.authorized("A-1")
    reply = shop.send("Refund", "A-1", amount="5")
    entry = shop.inquire("A-1")["transactionInfos"]["transactionInfo"][-1]
    assert entry["txnId"] == reply["custTxn"]
    assert entry["vResultCode"] == reply["vResultCode"]
    assert (entry["command"], entry["mstatus"]) == ("Refund", "failure")


def test_an_application_that_never_succeeded_has_no_last_success(shop, emulator):
    emulator.approve = "decline"
    shop.authorized("A-1")
    assert "lastSuccessTxnType" not in shop.inquire("A-1")


@pytest.mark.parametrize("search", [{}, {"common": {}}, {"common": 1}, "x", None])
def test_an_inquiry_without_an_order_id_is_refused(shop, sign, search):
    import json

    text = sign({"searchParameters": search, **shop.common()})
    found = json.loads(shop.post("Search", text).body)["result"]
    assert found["mstatus"] == "failure"
    assert found["vResultCode"].startswith("NP01")


def test_services_that_are_no_list_are_refused(shop, sign):
    import json

    params = {"serviceTypeCd": "amazonpay", **shop.common()}
    found = json.loads(shop.post("Search", sign(params)).body)["result"]
    assert found["vResultCode"].startswith("NP02")


def test_another_service_finds_nothing_here(shop, sign):
    import json

    shop.authorized("A-1")
    for services, count in ((["card"], 0), (["card", "amazonpay"], 1)):
        params = {
            "serviceTypeCd": services,
            "searchParameters": {"common": {"orderId": "A-1"}},
            **shop.common(),
        }
        found = json.loads(shop.post("Search", sign(params)).body)["result"]
        assert found["searchCount"] == count
