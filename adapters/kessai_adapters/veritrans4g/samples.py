"""What is on record of this gateway, for `pytest --kessai-adapter veritrans4g`.

The messages are in the folder `recorded`; the merchant and the secret key are made up.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kessai.gateway import INQUIRY, Call, Evidence, ListedExchange, Outcome, Source
from kessai.testing.adapter_kit.public import (
    AdapterSamples,
    NotificationSample,
    ReplySample,
    RequestSample,
)
from kessai_adapters.veritrans4g.masking import exchange_for_log

CCID = "A100000000000000000000cc"
SECRET = "4f3c2b1a" * 8
NOTIFICATION_URL = "https://shop.example/push"
FOLDER = Path(__file__).parent / "recorded"

_DONE = "A001000000000000"
_LISTED = "N001000000000000"
_NINE = datetime(2024, 3, 1, 0, 0, tzinfo=UTC)
"""Nine in the morning in Japan, when everything on record happened."""

REQUESTS = (
    RequestSample(
        "authorize-one-time",  # F1, O1
        Call(
            command="authorize",
            transaction="order-1001",
            lifecycle="one_time",
            amount=3300,
            parameters={
                "with_capture": False,
                "note": '珈琲豆 200g／"深煎り"',
                "success_url": "https://shop.example/done?order=1001&lang=ja",
                "cancel_url": "https://shop.example/cart",
                "error_url": "https://shop.example/sorry",
            },
        ),
    ),
    RequestSample(
        "authorize-on-the-merchants-page",  # F2
        Call(
            command="authorize",
            transaction="order-1002",
            lifecycle="one_time",
            amount=500,
            parameters={
                "with_capture": True,
                "suppress_shipping_address": True,
                "address_restrictions": (
                    '{"type":"Allowed","restrictions":'
                    '{"JP":{"statesOrRegions":["北海道"]}}}'
                ),
                "merchant_page": True,
                "merchant_page_url": "https://shop.example/confirm",
                "extend_expiration": True,
                "consent_only": False,
            },
        ),
    ),
    RequestSample(
        "authorize-with-consent",  # R1
        Call(
            command="authorize",
            transaction="club-7",
            lifecycle="recurring",
            tracks=("payment", "consent"),
            amount=1980,
            parameters={"frequency": {"unit": "Month", "value": 1}},
        ),
    ),
    RequestSample(
        "authorize-consent-only",  # R2
        Call(
            command="authorize",
            transaction="club-8",
            lifecycle="recurring",
            tracks=("payment", "consent"),
            amount=1980,
            parameters={
                "consent_only": True,
                "frequency": {"unit": "Week", "value": 2},
                "merchant_page": False,
                "note": None,
            },
        ),
    ),
    RequestSample(
        "capture-partial",  # F3
        Call(
            command="capture",
            transaction="order-1001",
            lifecycle="one_time",
            operation="op-2",
            amount=1200,
            seed="the-wire-has-no-place-for-a-key",
        ),
    ),
    RequestSample(
        "cancel-with-a-reason",  # F4
        Call(
            command="cancel",
            transaction="order-1001",
            lifecycle="one_time",
            parameters={"reason": "在庫切れ"},
        ),
    ),
    RequestSample(
        "refund-partial",  # F5
        Call(
            command="refund", transaction="order-1001", lifecycle="one_time", amount=300
        ),
    ),
    RequestSample(
        "get-address-with-details",  # F6
        Call(
            command="get_address",
            transaction="order-1001",
            lifecycle="one_time",
            parameters={"details": True},
        ),
    ),
    RequestSample(
        "update-authorization",  # F10
        Call(
            command="update_authorization",
            transaction="order-1001",
            lifecycle="one_time",
            amount=4400,
        ),
    ),
    RequestSample(
        "reauthorize-and-capture",  # F7
        Call(
            command="reauthorize",
            transaction="club-7-march",
            lifecycle="charge",
            agreement="club-7",
            amount=1980,
            parameters={"with_capture": True, "note": "三月分"},
        ),
    ),
    RequestSample(
        "update-consent",  # F9
        Call(
            command="update_consent",
            transaction="club-7",
            lifecycle="recurring",
            tracks=("payment", "consent"),
            amount=2480,
            parameters={"frequency": {"unit": "Year", "value": 1}, "note": "年払い"},
        ),
    ),
    RequestSample(
        "terminate",  # F8
        Call(
            command="terminate",
            transaction="club-7",
            lifecycle="recurring",
            tracks=("payment", "consent"),
            parameters={"reason": "会員の退会"},
        ),
    ),
    RequestSample(
        "inquiry",
        Call(command=INQUIRY, transaction="order-1001", lifecycle="one_time"),
    ),
)


def samples() -> AdapterSamples:
    """All that the conformance kit needs to know of this adapter."""
    return AdapterSamples(
        folder=FOLDER,
        environment={
            "KESSAI_VERITRANS_CCID": CCID,
            "KESSAI_VERITRANS_KEY": SECRET,
            "KESSAI_VERITRANS_DUMMY": "1",
            "KESSAI_VERITRANS_NOTIFICATION_URL": NOTIFICATION_URL,
        },
        secrets=(SECRET,),
        personal=("田中太郎", "山田 花子", "hanako@example.jp", "渋谷区神宮前1-2-3"),
        requests=REQUESTS,
        replies=(*_replies(), *_doubtful(), *_inquiries()),
        notifications=_notifications(),
        sign=signed,
        logged=exchange_for_log,
        lifecycles=("charge", "one_time", "recurring"),
        # The transaction with the command is all that a resend has in common.
        key_on_the_wire=False,
    )


def signed(body: bytes) -> Mapping[str, str]:
    """The headers under which the gateway would notification `body`."""
    proof = hmac.new(bytes.fromhex(SECRET), body, hashlib.sha256).hexdigest()
    return {"Content-Hmac": f"h=HmacSHA256;s={CCID};v={proof}"}


def _minutes(minutes: float) -> datetime:
    return _NINE + timedelta(minutes=minutes)


_ANSWERED = _minutes(34) + timedelta(seconds=56)
_NOTIFIED = _minutes(35) + timedelta(seconds=2)


def _call(name: str) -> Call:
    return next(sample.call for sample in REQUESTS if sample.name == name)


def _answer(name: str, asked: str, outcome: Outcome, **more: Any) -> ReplySample:
    """A reply to the recorded request `asked`."""
    call = _call(asked)
    evidence = Evidence(
        source=Source.REPLY,
        transaction=call.transaction,
        command=call.command,
        outcome=outcome,
        **more,
    )
    return ReplySample(name, call, evidence)


def _done(name: str, asked: str = "", **more: Any) -> ReplySample:
    return _answer(
        name,
        asked or name,
        Outcome.SUCCEEDED,
        code=_DONE,
        exchange="10434986",
        reported_at=_ANSWERED,
        **more,
    )


def _replies() -> tuple[ReplySample, ...]:
    stated = {"exchange": "10434986", "reported_at": _ANSWERED}
    capture = "capture-partial"
    pending, declined = Outcome.PENDING, Outcome.DECLINED
    return (
        _answer(
            "authorize-one-time",
            "authorize-one-time",
            pending,
            code=_DONE,
            exchange="10434986",
        ),
        _done(capture),
        _answer("capture-pending", capture, pending, code="AG70000000000000", **stated),
        _answer(
            "capture-declined", capture, declined, code="AF31000000000000", **stated
        ),
        _done("cancel-with-a-reason"),
        _done("refund-partial", disclosed={"refundable": 900}),
        _done("get-address-with-details"),
        _done("update-authorization-before-the-authorization", "update-authorization"),
        _done("reauthorize-and-capture"),
        _done("update-consent"),
        _done("terminate"),
    )


def _doubtful() -> tuple[ReplySample, ...]:
    codes = {
        "capture-of-another-order": "MF99",
        "capture-with-two-verdicts": "MF99",
        "capture-cut-off": "MF99",
        "capture-down-for-maintenance": "MF07",
        "capture-answered-by-a-proxy": "MF99",
    }
    unknown = Outcome.UNKNOWN
    return (
        _answer(
            "capture-not-possible-in-this-state",
            "capture-partial",
            unknown,
            code="NH02000000000000",
            exchange="10434986",
            reported_at=_ANSWERED,
            needs_inquiry=True,
        ),
        *(
            _answer(name, "capture-partial", unknown, code=code)
            for name, code in codes.items()
        ),
    )


def _inquire(name: str, *listing: ListedExchange, **more: Any) -> ReplySample:
    fields: dict[str, Any] = {"outcome": Outcome.SUCCEEDED, "code": _LISTED, **more}
    evidence = Evidence(
        source=Source.INQUIRY,
        transaction="order-1001",
        command=None,
        listing=listing,
        **fields,
    )
    return ReplySample(name, _call("inquiry"), evidence)


def _inquiries() -> tuple[ReplySample, ...]:
    authorized = ListedExchange(
        command="authorize",
        outcome=Outcome.SUCCEEDED,
        amount=3300,
        exchange="10435077",
        at=_minutes(30),
    )
    refused = ListedExchange(
        command="capture",
        outcome=Outcome.DECLINED,
        exchange="10435089",
        at=_minutes(34) + timedelta(seconds=5.383),
    )
    captured = ListedExchange(
        command="capture",
        outcome=Outcome.SUCCEEDED,
        amount=1200,
        exchange="10435091",
        at=_minutes(34) + timedelta(seconds=42.092),
    )
    refunding = ListedExchange(
        command="refund",
        outcome=Outcome.PENDING,
        amount=300,
        exchange="10435093",
        at=_minutes(15 * 60) - timedelta(seconds=0.001),
    )
    unknown = Outcome.UNKNOWN
    return (
        _inquire(
            "inquiry-after-a-lost-reply", authorized, refused, captured, refunding
        ),
        _inquire("inquiry-among-several", authorized),
        _inquire("inquiry-of-an-unknown-order", found=False),
        _inquire("inquiry-that-failed", outcome=unknown, code="NZ01000000000000"),
        _inquire("inquiry-with-only-strangers", outcome=unknown),
        _inquire("inquiry-without-its-list", outcome=unknown),
    )


def _notified(command: str, outcome: Outcome, **more: Any) -> Evidence:
    fields: dict[str, Any] = {"transaction": "order-1001", "code": _DONE, **more}
    return Evidence(
        source=Source.NOTIFICATION,
        command=command,
        outcome=outcome,
        reported_at=_NOTIFIED,
        **fields,
    )


def _notifications() -> tuple[NotificationSample, ...]:
    good, unsure = Outcome.SUCCEEDED, Outcome.UNKNOWN
    opening = _notified(
        "authorize", good, amount=3300, exchange="S03-1234567-1234567-A098765"
    )
    several = (
        _notified("capture", good, amount=1200),
        _notified("refund", Outcome.DECLINED, code="AF31000000000000"),
        _notified("terminate", Outcome.PENDING, transaction="club-7"),
    )
    captured = _notified("capture", unsure, code="NH02000000000000", needs_inquiry=True)
    return (
        NotificationSample("authorized", (opening,)),
        NotificationSample("several-results", several),
        NotificationSample("already-captured", (captured,)),
        NotificationSample(
            "a-command-of-tomorrow",
            (_notified("chargeback", unsure, needs_inquiry=True),),
        ),
        NotificationSample("with-a-name-in-shift-jis", (_notified("cancel", good),)),
        NotificationSample("of-a-live-payment", refused=True),
        NotificationSample("announcing-too-few", refused=True),
        NotificationSample("without-an-order", refused=True),
        NotificationSample("with-two-verdicts", refused=True),
    )
