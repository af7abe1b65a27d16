"""From recorded replies to evidence: what is believed, and what is left unknown."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kessai.gateway import INQUIRY, Call, Evidence, Failure, Outcome, Reply, Source
from kessai_adapters.veritrans4g import VeriTrans4G
from kessai_adapters.veritrans4g.commands import COMMANDS

EvidenceOf = Callable[..., Evidence]


def capture() -> Call:
    return Call(command="capture", transaction="order-1001", lifecycle="one_time")


def result(**members: Any) -> Reply:
    return Reply(status=200, body=json.dumps({"result": members}).encode())


def test_a_capture_that_succeeded_has_its_time_and_id(evidence_of: EvidenceOf) -> None:
    assert evidence_of("capture-partial") == Evidence(
        source=Source.REPLY,
        transaction="order-1001",
        command="capture",
        outcome=Outcome.SUCCEEDED,
        code="A001000000000000",
        exchange="10434986",
        reported_at=datetime(2024, 3, 1, 0, 34, 56, tzinfo=UTC),
    )


def test_an_opening_is_pending_until_the_consumer_approved(
    evidence_of: EvidenceOf,
) -> None:
    evidence = evidence_of("authorize-one-time", command="authorize")
    assert evidence.outcome is Outcome.PENDING
    assert "https://pay.example/amazon" in evidence.disclosed["page"]


@pytest.mark.parametrize(
    ("story", "outcome", "code", "needs_inquiry"),
    [
        ("capture-pending", Outcome.PENDING, "AG70000000000000", False),
        ("capture-declined", Outcome.DECLINED, "AF31000000000000", False),
        (
            "capture-not-possible-in-this-state",
            Outcome.UNKNOWN,
            "NH02000000000000",
            True,
        ),
        ("capture-of-another-order", Outcome.UNKNOWN, "MF99", False),
        ("capture-with-two-verdicts", Outcome.UNKNOWN, "MF99", False),
        ("capture-cut-off", Outcome.UNKNOWN, "MF99", False),
        ("capture-down-for-maintenance", Outcome.UNKNOWN, "MF07", False),
        ("capture-answered-by-a-proxy", Outcome.UNKNOWN, "MF99", False),
    ],
)
def test_a_capture_is_believed_only_when_the_reply_is_plain(
    *,
    story: str,
    outcome: Outcome,
    code: str,
    needs_inquiry: bool,
    evidence_of: EvidenceOf,
) -> None:
    evidence = evidence_of(story)
    assert (evidence.outcome, evidence.code) == (outcome, code)
    assert evidence.needs_inquiry is needs_inquiry


def test_an_address_that_cannot_be_read_now_needs_no_inquiry(
    evidence_of: EvidenceOf,
) -> None:
    evidence = evidence_of("capture-not-possible-in-this-state", command="get_address")
    assert (evidence.outcome, evidence.needs_inquiry) == (Outcome.DECLINED, False)


def test_an_opening_refused_in_this_state_may_be_the_one_already_made(
    evidence_of: EvidenceOf,
) -> None:
    evidence = evidence_of("capture-not-possible-in-this-state", command="authorize")
    assert (evidence.outcome, evidence.needs_inquiry) == (Outcome.UNKNOWN, True)


def test_words_for_people_are_not_kept(evidence_of: EvidenceOf) -> None:
    evidence = evidence_of("capture-declined")
    assert "田中" not in repr(evidence)
    assert evidence.disclosed == {}


def test_a_refund_discloses_what_may_still_be_refunded(evidence_of: EvidenceOf) -> None:
    assert evidence_of("refund-partial", command="refund").disclosed == {
        "refundable": 900
    }


def test_an_address_is_disclosed_and_shown_nowhere(evidence_of: EvidenceOf) -> None:
    evidence = evidence_of("get-address-with-details", command="get_address")
    assert evidence.outcome is Outcome.SUCCEEDED
    assert evidence.disclosed == {
        "redirect_url": "https://pay.example/confirm?s=1",
        "checkout_session": "bd504926-f659-4ad7-a1a9-9a747aaf5275",
        "address": {
            "shipping_name": "山田 花子",
            "shipping_phone": "0312345678",
            "shipping_postal_code": "150-0001",
            "shipping_prefecture": "東京都",
            "shipping_address1": "渋谷区神宮前1-2-3",
            "buyer_email": "hanako@example.jp",
            "buyer_id": "amzn1.account.AEXAMPLE",
        },
    }
    assert "hanako" not in repr(evidence)


def test_an_update_before_the_authorization_discloses_where_to_confirm(
    evidence_of: EvidenceOf,
) -> None:
    evidence = evidence_of(
        "update-authorization-before-the-authorization", command="update_authorization"
    )
    assert evidence.disclosed == {"redirect_url": "https://pay.example/confirm?s=2"}


def test_a_reauthorization_is_done_without_the_consumer(
    evidence_of: EvidenceOf,
) -> None:
    evidence = evidence_of(
        "reauthorize-and-capture", command="reauthorize", transaction="club-7-march"
    )
    assert evidence.outcome is Outcome.SUCCEEDED


def test_a_reply_in_shift_jis_is_read(evidence_of: EvidenceOf) -> None:
    evidence = evidence_of("authorize-with-a-page-in-shift-jis", command="authorize")
    assert evidence.outcome is Outcome.PENDING
    assert evidence.disclosed["page"] == "<meta charset=Shift_JIS>予約表ソ"


def test_a_reply_in_two_encodings_at_once_is_still_read(
    evidence_of: EvidenceOf,
) -> None:
    evidence = evidence_of("authorize-with-mixed-encodings", command="authorize")
    assert evidence.outcome is Outcome.PENDING
    assert evidence.disclosed["page"] == "予約"


@pytest.mark.parametrize(
    ("page", "read"),
    [
        (b"\x97\x5c", "予"),
        (b"\xb1\xb2", "ｱｲ"),
        (b"\x97", "\N{REPLACEMENT CHARACTER}"),
        (b"\x81 \x82", "\N{REPLACEMENT CHARACTER} \N{REPLACEMENT CHARACTER}"),
    ],
)
def test_no_byte_of_a_page_swallows_the_quote_after_it(
    page: bytes, read: str, adapter: VeriTrans4G
) -> None:
    body = b'{"result":{"responseContents":"' + page + b'","mstatus":"pending"}}'
    call = Call(command="authorize", transaction="order-1001", lifecycle="one_time")
    evidence = adapter.evidence(call, Reply(status=200, body=body))
    assert evidence.outcome is Outcome.PENDING
    assert evidence.disclosed["page"] == read


def test_only_reading_is_forgiving() -> None:
    with pytest.raises(UnicodeEncodeError):
        "予".encode("ascii", "kessai.veritrans4g.shift_jis_inside")


def test_a_call_that_never_left_is_declined_and_may_be_sent_again(
    adapter: VeriTrans4G,
) -> None:
    evidence = adapter.evidence(capture(), Failure(sent=False, reason="refused"))
    assert (evidence.outcome, evidence.code) == (Outcome.DECLINED, "MF02")
    assert evidence.never_sent


def test_a_call_that_broke_off_is_unknown(adapter: VeriTrans4G) -> None:
    evidence = adapter.evidence(capture(), Failure(sent=True, reason="timed out"))
    assert (evidence.outcome, evidence.code) == (Outcome.UNKNOWN, "MF03")
    assert not evidence.never_sent


@pytest.mark.parametrize(
    ("status", "code"),
    [(500, "MF05"), (502, "MF06"), (503, "MF07"), (404, "MF99"), (204, "MF99")],
)
def test_success_under_another_status_is_no_success(
    status: int, code: str, adapter: VeriTrans4G, recorded: Callable[..., Any]
) -> None:
    body = recorded("capture-partial.reply").body
    evidence = adapter.evidence(capture(), Reply(status=status, body=body))
    assert (evidence.outcome, evidence.code) == (Outcome.UNKNOWN, code)


@pytest.mark.parametrize("mstatus", ["SUCCESS", "", None, 1, ["success"], {}])
def test_a_verdict_that_is_none_of_the_three_is_unknown(
    mstatus: object, adapter: VeriTrans4G
) -> None:
    evidence = adapter.evidence(capture(), result(mstatus=mstatus))
    assert evidence.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "members",
    [
        {"vResultCode": "12"},
        {"vResultCode": "<b>A001</b>00000"},
        {"custTxn": "山田 花子"},
        {"custTxn": 10434986},
        {"centerResponseDatetime": "20240230000000"},
        {"centerResponseDatetime": "00010101000000"},
        {"centerResponseDatetime": "2024030109345６"},
        {"centerResponseDatetime": 20240301093456},
    ],
)
def test_a_value_of_a_strange_form_is_left_out_and_the_verdict_kept(
    members: dict[str, object], adapter: VeriTrans4G
) -> None:
    evidence = adapter.evidence(capture(), result(mstatus="success", **members))
    assert evidence.outcome is Outcome.SUCCEEDED
    assert (evidence.code, evidence.exchange, evidence.reported_at) == ("", None, None)


@pytest.mark.parametrize("order", [None, 1001, "order-1001 ", ["order-1001"]])
def test_a_reply_under_another_order_id_is_unknown(
    order: object, adapter: VeriTrans4G
) -> None:
    evidence = adapter.evidence(capture(), result(mstatus="success", orderId=order))
    assert evidence.outcome is Outcome.UNKNOWN


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
members_of_a_result = st.dictionaries(
    st.sampled_from(
        [
            *("mstatus", "vResultCode", "orderId", "custTxn", "centerResponseDatetime"),
            *("refundableAmount", "responseContents", "shippingName", "payRedirectUrl"),
            *("orderInfos", "searchCount"),
        ]
    ),
    json_values | st.sampled_from(["success", "failure", "pending", "order-1001"]),
)


@settings(deadline=None)
@given(body=st.binary(), command=st.sampled_from([*COMMANDS, INQUIRY]))
@example(body=b"[" * 100_000, command="capture")
@example(body=b'{"result":' * 50_000, command="capture")
@example(body=b'{"result":{"mstatus":' + b"9" * 5000 + b"}}", command="capture")
@example(body=b'{"result":{"mstatus":NaN}}', command="capture")
@example(body=b'{"result":{"mstatus":"succ\\ud800ess"}}', command="capture")
@example(body=b'\xef\xbb\xbf{"result":{}}', command="capture")
@example(body=b"\xff\xfe{\x00}\x00", command="capture")
@example(body=b"null", command=INQUIRY)
def test_no_bytes_whatever_raise_or_pass_for_an_outcome(
    body: bytes, command: str, adapter: VeriTrans4G
) -> None:
    call = Call(command=command, transaction="order-1001", lifecycle="one_time")
    evidence = adapter.evidence(call, Reply(status=200, body=body))
    assert evidence.outcome is Outcome.UNKNOWN
    assert evidence.code == "MF99"


@settings(deadline=None)
@given(members=members_of_a_result, command=st.sampled_from([*COMMANDS, INQUIRY]))
def test_no_result_whatever_raises(
    members: dict[str, object], command: str, adapter: VeriTrans4G
) -> None:
    call = Call(command=command, transaction="order-1001", lifecycle="one_time")
    evidence = adapter.evidence(call, result(**members))
    assert evidence == adapter.evidence(call, result(**members))
    if command != INQUIRY and evidence.outcome is Outcome.SUCCEEDED:
        assert members["mstatus"] == "success"
    for text in evidence.disclosed.values():
        json.dumps(text, ensure_ascii=False).encode()
