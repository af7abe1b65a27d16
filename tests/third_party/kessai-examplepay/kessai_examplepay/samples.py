"""What is on record of ExamplePay, for `pytest --kessai-adapter examplepay`."""

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kessai.gateway import INQUIRY, Call, Evidence, ListedExchange, Outcome, Source
from kessai.testing.adapter_kit.public import (
    AdapterSamples,
    NotificationSample,
    ReplySample,
    RequestSample,
)

KEY = "sk_0123456789abcdefghijklmnopqrstuv"
NOTIFICATION_SECRET = "whsec_vutsrqponmlkjihgfedcba9876543210"
NINE = datetime(2026, 1, 2, 9, 0, tzinfo=UTC)

ENVIRONMENT = {
    "KESSAI_EXAMPLEPAY_KEY": KEY,
    "KESSAI_EXAMPLEPAY_NOTIFICATION_SECRET": NOTIFICATION_SECRET,
    "KESSAI_EXAMPLEPAY_HOST": "https://api.examplepay.example",
}


def call(command: str, amount: int | None = None, **parameters: str) -> Call:
    """A call about the order that is on record."""
    return Call(
        command=command,
        transaction="order-7",
        lifecycle="one_time",
        operation="order-7.3",
        amount=amount,
        parameters=parameters,
        seed="examplepay:order-7.3",
    )


REQUESTS = (
    RequestSample("authorize", call("authorize", 5000, note="珈琲豆 200g")),
    RequestSample("capture", call("capture", 3000)),
    RequestSample("cancel", call("cancel", reason="在庫切れ")),
    RequestSample("refund", call("refund", 1000)),
    RequestSample("inquiry", call(INQUIRY)),
)
CALLS = {sample.name: sample.call for sample in REQUESTS}


def samples() -> AdapterSamples:
    """All that the conformance kit needs to know of this adapter."""
    return AdapterSamples(
        folder=Path(__file__).parent / "recorded",
        environment=ENVIRONMENT,
        secrets=(KEY, NOTIFICATION_SECRET),
        personal=("山田 花子",),
        requests=REQUESTS,
        replies=(*replies(), *inquiries()),
        notifications=notifications(),
        sign=signed,
        lifecycles=("one_time",),
    )


def signed(body: bytes) -> Mapping[str, str]:
    """The headers under which ExamplePay would notification `body`."""
    proof = hmac.digest(NOTIFICATION_SECRET.encode(), body, "sha256").hex()
    return {"X-ExamplePay-Signature": f"sha256={proof}"}


def replied(name: str, asked: str, outcome: Outcome, **more: Any) -> ReplySample:
    """A reply to the recorded request `asked`."""
    evidence = Evidence(
        source=Source.REPLY,
        transaction="order-7",
        command=CALLS[asked].command,
        outcome=outcome,
        **more,
    )
    return ReplySample(name, CALLS[asked], evidence)


def replies() -> tuple[ReplySample, ...]:
    """What came back to commands."""
    done = {"code": "ok", "exchange": "ev_2", "reported_at": NINE}
    declined = {**done, "code": "card_refused"}
    return (
        replied("authorize", "authorize", Outcome.SUCCEEDED, amount=5000, **done),
        replied("capture", "capture", Outcome.SUCCEEDED, amount=3000, **done),
        replied(
            "capture-declined", "capture", Outcome.DECLINED, amount=3000, **declined
        ),
        replied("cancel", "cancel", Outcome.SUCCEEDED, **done),
        replied("refund", "refund", Outcome.PENDING, amount=1000, **done),
        replied("overloaded", "capture", Outcome.UNKNOWN, code="unreadable"),
    )


def inquiries() -> tuple[ReplySample, ...]:
    """What came back to inquiries."""
    listed = Evidence(
        source=Source.INQUIRY,
        transaction="order-7",
        command=None,
        outcome=Outcome.SUCCEEDED,
        listing=(
            exchange("authorize", Outcome.SUCCEEDED, 5000, "ev_1"),
            exchange("capture", Outcome.DECLINED, 3000, "ev_2"),
            exchange("capture", Outcome.SUCCEEDED, 3000, "ev_3"),
        ),
    )
    empty = Evidence(
        source=Source.INQUIRY,
        transaction="order-7",
        command=None,
        outcome=Outcome.SUCCEEDED,
    )
    missing = Evidence(
        source=Source.INQUIRY,
        transaction="order-7",
        command=None,
        outcome=Outcome.SUCCEEDED,
        found=False,
    )
    asked = CALLS["inquiry"]
    return (
        ReplySample("inquiry", asked, listed),
        ReplySample("inquiry-empty", asked, empty),
        ReplySample("inquiry-unknown", asked, missing),
    )


def exchange(command: str, outcome: Outcome, amount: int, name: str) -> ListedExchange:
    """One event as it is listed."""
    return ListedExchange(
        command=command, outcome=outcome, amount=amount, exchange=name, at=NINE
    )


def heard(command: str, outcome: Outcome, amount: int, exchange: str) -> Evidence:
    """One event of a notification."""
    return Evidence(
        source=Source.NOTIFICATION,
        transaction="order-7",
        command=command,
        outcome=outcome,
        code="ok",
        amount=amount,
        exchange=exchange,
        reported_at=NINE,
    )


def notifications() -> tuple[NotificationSample, ...]:
    """What ExamplePay notified."""
    first = heard("refund", Outcome.SUCCEEDED, 1000, "ev_4")
    second = heard("refund", Outcome.DECLINED, 500, "ev_5")
    return (
        NotificationSample("refunded", (first,)),
        NotificationSample("several", (first, second)),
        NotificationSample("one-of-two-malformed", (first,), refused=True),
        NotificationSample("forged", refused=True),
    )
