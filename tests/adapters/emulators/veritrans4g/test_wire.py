"""The wire format: two encodings, the hash over the bytes sent, the envelope."""

import json
from urllib.parse import quote, quote_plus

import pytest

from kessai_adapters.emulators.veritrans4g import DEFAULT_CCID, DEFAULT_KEY, Emulator

FORM = "application/x-www-form-urlencoded"
JSON = "application/json; charset=UTF-8"
PARAMS = {"orderId": "A-1", "amount": "100", "merchantCcid": DEFAULT_CCID}


def answer(emulator, body, kind=FORM, path="/paynow/v2/Authorize/amazonpay"):
    headers = {"content-type": kind} if kind else {}
    return emulator.handle("POST", path, headers, body)


def result(reply):
    return json.loads(reply.body)["result"]


@pytest.mark.parametrize(
    ("kind", "encode"),
    [(FORM, quote_plus), (FORM, quote), (JSON, str), ("", quote), ("", str)],
)
def test_both_encodings_are_read(emulator, sign, kind, encode):
    text = sign({**PARAMS, "noteToBuyer": "空 白 + 100% / é"})
    reply = answer(emulator, encode(text).encode(), kind)
    assert result(reply)["mstatus"] == "success"
    assert emulator.books["A-1"].note == "空 白 + 100% / é"


def test_the_reply_has_the_envelope_and_the_common_members(emulator, sign):
    reply = answer(emulator, quote_plus(sign({**PARAMS, "txnVersion": "2"})).encode())
    assert reply.status == 200
    envelope = json.loads(reply.body)
    assert set(envelope) == {"payNowIdResponse", "result"}
    found = envelope["result"]
    assert found["serviceType"] == "amazonpay"
    assert found["orderId"] == "A-1"
    assert found["txnVersion"] == "2"
    assert found["vResultCode"] == "A001000000000000"
    assert found["custTxn"] == emulator.books["A-1"].application.txn_id
    assert found["marchTxn"]


def test_the_hash_covers_the_text_as_sent_and_not_as_one_would_write_it(emulator):
    import hashlib

    params = (
        '{ "amount" : "100",\n "orderId":"A\\u002d1" , '
        f'"merchantCcid":"{DEFAULT_CCID}", "authHash":"x"}}'
    )
    sent = f"{DEFAULT_CCID}{params}{DEFAULT_KEY}".encode()
    auth_hash = hashlib.sha256(sent).hexdigest()
    text = f' {{"authHash" : "{auth_hash}" , "more":[1], "params" : {params} }} '
    assert result(answer(emulator, text.encode(), JSON))["mstatus"] == "success"
    assert "A-1" in emulator.books


def test_a_wrong_hash_is_a_failure_and_changes_nothing(emulator, sign):
    wrong = [
        sign(PARAMS, key="0" * 64),
        sign(PARAMS).replace('"100"', '"900"'),
        sign(PARAMS)
        .replace('{"amount', '{ "amount')
        .replace('{"orderId', '{ "orderId'),
        json.dumps({"params": PARAMS, "authHash": "é"}),
    ]
    for text in wrong:
        reply = answer(emulator, quote_plus(text).encode())
        assert reply.status == 200
        assert result(reply)["mstatus"] == "failure"
        assert result(reply)["vResultCode"] == "NA01000000000000"
    assert len(emulator.books) == 0


def test_another_merchant_is_unknown(emulator, sign):
    text = sign({**PARAMS, "merchantCcid": "A100000000000000000001cc"})
    found = result(answer(emulator, text.encode(), JSON))
    assert found["vResultCode"] == "NA02000000000000"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"params":{}}',
        b'{"authHash":"x"}',
        b'{"params":[],"authHash":"x"}',
        b'{"params":{},"authHash":1}',
        b'{"params":{},"authHash":"x"} more',
        b'{"params":{},"params":{},"authHash":"x"}',
        b'{"params":{},"authHash":"\\ud800"}',
        b'{"params":{"orderId":"\\ud800"},"authHash":"x"}',
        b'{"params" {},"authHash":"x"}',
        b'{1:2,"authHash":"x"}',
        b'{"params":' + b"[" * 100_000,
        b'{"params":{"n":' + b"9" * 5000 + b'},"authHash":"x"}',
        b"\xff\xfe",
    ],
)
def test_a_body_that_cannot_be_read_is_a_bad_request(emulator, body):
    reply = answer(emulator, body, JSON)
    assert reply.status == 400
    assert result(reply)["mstatus"] == "failure"
    assert result(reply)["vResultCode"] == "NP04000000000000"


def test_a_body_under_another_media_type_is_a_bad_request(emulator, sign):
    assert answer(emulator, sign(PARAMS).encode(), "text/plain").status == 400


def test_a_value_that_is_no_string_is_refused(emulator, sign):
    found = result(answer(emulator, sign({**PARAMS, "amount": 100}).encode(), JSON))
    assert found["vResultCode"] == "NP02000000000000"
    assert "amount" in found["merrMsg"]


def test_unknown_paths_and_methods_are_http_errors(emulator):
    assert emulator.handle("POST", "/paynow/v2/Steal/amazonpay", {}, b"").status == 404
    reply = emulator.handle("GET", "/paynow/v2/Capture/amazonpay", {}, b"")
    assert (reply.status, reply.headers["Allow"]) == (405, "POST")


def test_dummy_orders_and_live_ones_do_not_see_each_other(shop):
    shop.dummy = True
    shop.authorized("A-1")
    shop.ok("Capture", "A-1")
    assert shop.search("A-1", dummy_flag=False)["searchCount"] == 0
    assert shop.search("A-1")["searchCount"] == 1

    shop.dummy = False
    assert shop.refused("Refund", "A-1") == "NH010000"
    assert shop.refused("Authorize", "A-1", amount="1") == "NH050000"


def test_a_dummy_flag_that_contradicts_the_path_is_refused(emulator, sign):
    text = sign({**PARAMS, "dummyRequest": "1"})
    found = result(answer(emulator, text.encode(), JSON))
    assert found["vResultCode"] == "NP02000000000000"


def test_the_secret_is_shown_nowhere():
    with Emulator() as emulator:
        assert DEFAULT_KEY not in repr(emulator)
        assert DEFAULT_KEY not in repr(emulator.merchant)
    with pytest.raises(ValueError, match="64 hex digits") as caught:
        Emulator(secret_key="not-a-key")
    assert "not-a-key" not in str(caught.value)
