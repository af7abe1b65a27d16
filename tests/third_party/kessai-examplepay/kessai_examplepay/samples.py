"""What is on record of ExamplePay, for `pytest --kessai-adapter examplepay`."""

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kessai.gateway import LOOK_UP, Call, Evidence, ListedExchange, Outcome, Source
from kessai.testing.adapters import (
    AdapterSamples,
    PushSample,
    ReplySample,
    RequestSample,
)

KEY = "sk_0123456789abcdefghijklmnopqrstuv"
PUSH_SECRET = "whsec_vutsrqponmlkjihgfedcba9876543210"
NINE = datetime(2026, 1, 2, 9, 0, tzinfo=UTC)

ENVIRONMENT = {
    "KESSAI_EXAMPLEPAY_KEY": KEY,
    "KESSAI_EXAMPLEPAY_PUSH_SECRET": PUSH_SECRET,
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
    RequestSample("look-up", call(LOOK_UP)),
)
CALLS = {sample.name: sample.call for sample in REQUESTS}


def samples() -> AdapterSamples:
    """All that the conformance kit needs to know of this adapter."""
    return AdapterSamples(
        folder=Path(__file__).parent / "recorded",
        environment=ENVIRONMENT,
        secrets=(KEY, PUSH_SECRET),
        personal=("山田 花子",),
        requests=REQUESTS,
        replies=(*replies(), *look_ups()),
        pushes=pushes(),
        sign=signed,
        lifecycles=("one_time",),
    )


def signed(body: bytes) -> Mapping[str, str]:
    """The headers under which ExamplePay would push `body`."""
    proof = hmac.digest(PUSH_SECRET.encode(), body, "sha256").hex()
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


def look_ups() -> tuple[ReplySample, ...]:
    """What came back to look-ups."""
    listed = Evidence(
        source=Source.LOOK_UP,
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
        source=Source.LOOK_UP,
        transaction="order-7",
        command=None,
        outcome=Outcome.SUCCEEDED,
    )
    missing = Evidence(
        source=Source.LOOK_UP,
        transaction="order-7",
        command=None,
        outcome=Outcome.SUCCEEDED,
        found=False,
    )
    asked = CALLS["look-up"]
    return (
        ReplySample("look-up", asked, listed),
        ReplySample("look-up-empty", asked, empty),
        ReplySample("look-up-unknown", asked, missing),
    )


def exchange(command: str, outcome: Outcome, amount: int, name: str) -> ListedExchange:
    """One event as it is listed."""
    return ListedExchange(
        command=command, outcome=outcome, amount=amount, exchange=name, at=NINE
    )


def heard(command: str, outcome: Outcome, amount: int, exchange: str) -> Evidence:
    """One event as it is pushed."""
    return Evidence(
        source=Source.PUSH,
        transaction="order-7",
        command=command,
        outcome=outcome,
        code="ok",
        amount=amount,
        exchange=exchange,
        reported_at=NINE,
    )


def pushes() -> tuple[PushSample, ...]:
    """What ExamplePay pushed."""
    first = heard("refund", Outcome.SUCCEEDED, 1000, "ev_4")
    second = heard("refund", Outcome.DECLINED, 500, "ev_5")
    return (
        PushSample("refunded", (first,)),
        PushSample("several", (first, second)),
        PushSample("one-of-two-spoilt", (first,), refused=True),
        PushSample("forged", refused=True),
    )
