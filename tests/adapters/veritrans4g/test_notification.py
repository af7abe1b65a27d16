"""Result items: only the gateway's own are heard, and all of each is."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kessai.errors import NotificationRefused
from kessai.gateway import Evidence, Outcome, Source
from kessai_adapters.veritrans4g import VeriTrans4G
from kessai_adapters.veritrans4g.notification import BODY_LIMIT

Recorded = Callable[[str], Any]
Signed = Callable[[bytes], dict[str, str]]
NOTIFIED_AT = datetime(2024, 3, 1, 0, 35, 2, tzinfo=UTC)


def heard(adapter: VeriTrans4G, notification: Any) -> tuple[Evidence, ...]:
    return adapter.notification(notification.headers, notification.body)


def test_a_notification_says_that_the_consumer_approved(
    adapter: VeriTrans4G, recorded: Recorded
) -> None:
    assert heard(adapter, recorded("authorized.notification")) == (
        Evidence(
            source=Source.NOTIFICATION,
            transaction="order-1001",
            command="authorize",
            outcome=Outcome.SUCCEEDED,
            code="A001000000000000",
            amount=3300,
            exchange="S03-1234567-1234567-A098765",
            reported_at=NOTIFIED_AT,
        ),
    )


def test_one_notification_may_carry_several_results(
    adapter: VeriTrans4G, recorded: Recorded
) -> None:
    evidence = heard(adapter, recorded("several-results.notification"))
    assert [(e.transaction, e.command, e.outcome, e.amount) for e in evidence] == [
        ("order-1001", "capture", Outcome.SUCCEEDED, 1200),
        ("order-1001", "refund", Outcome.DECLINED, None),
        ("club-7", "terminate", Outcome.PENDING, None),
    ]
    assert "花子" not in repr(evidence)


def test_a_command_of_tomorrow_is_kept_under_its_own_name(
    adapter: VeriTrans4G, recorded: Recorded
) -> None:
    (evidence,) = heard(adapter, recorded("a-command-of-tomorrow.notification"))
    assert (evidence.command, evidence.amount) == ("chargeback", None)


def test_a_name_in_shift_jis_is_passed_over(
    adapter: VeriTrans4G, recorded: Recorded
) -> None:
    (evidence,) = heard(adapter, recorded("with-a-name-in-shift-jis.notification"))
    assert (evidence.command, evidence.outcome) == ("cancel", Outcome.SUCCEEDED)


def test_already_captured_asks_for_a_inquiry(
    adapter: VeriTrans4G, recorded: Recorded
) -> None:
    (evidence,) = heard(adapter, recorded("already-captured.notification"))
    assert (evidence.outcome, evidence.needs_inquiry) == (Outcome.UNKNOWN, True)
    assert (evidence.command, evidence.code) == ("capture", "NH02000000000000")


def test_a_verdict_that_is_none_of_the_three_asks_for_a_inquiry(
    adapter: VeriTrans4G, signed: Signed
) -> None:
    body = b"numberOfNotify=1&orderId0000=o-1&txnType0000=Capture&mstatus0000=perhaps"
    (evidence,) = adapter.notification(signed(body), body)
    assert (evidence.outcome, evidence.needs_inquiry) == (Outcome.UNKNOWN, True)
    assert evidence.reported_at is None


@pytest.mark.parametrize(
    ("story", "why"),
    [
        ("of-a-live-payment", "dummy0000"),
        ("announcing-too-few", "numberOfNotify"),
        ("without-an-order", "numberOfNotify"),
        ("with-two-verdicts", "mstatus0000 is there more than once"),
    ],
)
def test_a_signed_notification_that_cannot_be_read_is_refused_whole(
    story: str, why: str, adapter: VeriTrans4G, recorded: Recorded
) -> None:
    with pytest.raises(NotificationRefused, match=why):
        heard(adapter, recorded(f"{story}.notification"))


def test_a_test_is_refused_where_payments_are_live(
    live: VeriTrans4G, recorded: Recorded
) -> None:
    with pytest.raises(NotificationRefused, match="dummy0000"):
        heard(live, recorded("authorized.notification"))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"numberOfNotify": "0"}, "numberOfNotify"),
        ({"numberOfNotify": "-1"}, "numberOfNotify"),
        ({"numberOfNotify": "１"}, "numberOfNotify"),
        ({"numberOfNotify": "99999"}, "numberOfNotify"),
        ({"numberOfNotify": ""}, "numberOfNotify is missing"),
        ({"orderId0000": ""}, "orderId0000 is missing"),
        ({"orderId0000": "order/1001"}, "no transaction id"),
        ({"orderId0000": "x" * 101}, "no transaction id"),
        ({"txnType0000": ""}, "txnType0000 is missing"),
        ({"txnType0000": "DROP TABLE"}, "no command's name"),
        ({"txnType0000": "x" * 41}, "no command's name"),
        ({"mstatus0000": ""}, "mstatus0000 is missing"),
        ({"dummy0000": "0"}, "dummy0000"),
        ({"dummy0000": "yes"}, "dummy0000"),
    ],
)
def test_a_field_that_matters_and_is_wrong_is_named(
    changes: dict[str, str], why: str, adapter: VeriTrans4G, signed: Signed
) -> None:
    fields = {
        "numberOfNotify": "1",
        "orderId0000": "order-1001",
        "txnType0000": "Capture",
        "mstatus0000": "success",
    }
    body = urlencode({**fields, **changes}).encode()
    with pytest.raises(NotificationRefused, match=why):
        adapter.notification(signed(body), body)


def test_an_empty_notification_is_refused_even_when_signed(
    adapter: VeriTrans4G, signed: Signed
) -> None:
    with pytest.raises(NotificationRefused):
        adapter.notification(signed(b""), b"")
    body = b"numberOfNotify=0"
    with pytest.raises(NotificationRefused, match="no item"):
        adapter.notification(signed(body), body)


def test_the_name_of_the_header_may_be_written_in_any_case(
    adapter: VeriTrans4G, recorded: Recorded
) -> None:
    notification = recorded("authorized.notification")
    headers = {name.upper(): value for name, value in notification.headers.items()}
    assert adapter.notification(headers, notification.body)


def forged(value: str) -> list[str]:
    other = "B200000000000000000000cc"
    own = "A100000000000000000000cc"
    return [
        "",
        value.upper(),
        value.replace("HmacSHA256", "HmacSHA1"),
        value.replace("HmacSHA256", "none"),
        value.replace(own, other),
        value.replace(";", "; "),
        value + ";",
        value + "\n",
        f"{value}, {value}",
        value[:-1],
        value[:-64] + "0" * 64,
        value.replace(";v=", ";v=sha256:"),
        "é" + value[1:],
    ]


def test_only_one_form_of_the_signature_counts(
    adapter: VeriTrans4G, recorded: Recorded, secret: str
) -> None:
    notification = recorded("authorized.notification")
    for value in forged(notification.headers["Content-Hmac"]):
        with pytest.raises(NotificationRefused) as refusal:
            adapter.notification({"Content-Hmac": value}, notification.body)
        assert secret not in str(refusal.value)


def test_no_signature_or_two_are_refused(
    adapter: VeriTrans4G, recorded: Recorded
) -> None:
    notification = recorded("authorized.notification")
    value = notification.headers["Content-Hmac"]
    with pytest.raises(NotificationRefused, match="exactly once"):
        adapter.notification({}, notification.body)
    with pytest.raises(NotificationRefused, match="exactly once"):
        adapter.notification(
            {"Content-Hmac": value, "content-hmac": value}, notification.body
        )


def test_a_body_without_end_is_not_even_hashed(
    adapter: VeriTrans4G, signed: Signed
) -> None:
    body = b"x" * (BODY_LIMIT + 1)
    with pytest.raises(NotificationRefused, match="longer than"):
        adapter.notification(signed(body), body)


@settings(deadline=None)
@given(data=st.data())
def test_any_one_changed_byte_is_noticed(
    data: st.DataObject, adapter: VeriTrans4G, recorded: Recorded
) -> None:
    notification = recorded("several-results.notification")
    place = data.draw(st.integers(0, len(notification.body) - 1))
    flip = data.draw(st.integers(1, 255))
    body = bytearray(notification.body)
    body[place] ^= flip
    with pytest.raises(NotificationRefused, match="does not match its body"):
        adapter.notification(notification.headers, bytes(body))


@settings(deadline=None)
@given(body=st.binary())
def test_whatever_is_signed_is_read_or_refused(
    body: bytes, adapter: VeriTrans4G, signed: Signed
) -> None:
    with pytest.raises(NotificationRefused):
        adapter.notification(signed(body), body)
