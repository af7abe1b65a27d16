"""What is on record of Kumo Pay: exchanges of two requests, ids, totals, mentions."""

from datetime import UTC, datetime
from pathlib import Path

from invented.adapter import PAYMENT, Kumo, signature
from invented.played import LIFECYCLE_FILE

from kessai.gateway import (
    INQUIRY,
    Call,
    Evidence,
    ListedExchange,
    Mention,
    Outcome,
    Source,
)
from kessai.testing.adapter_kit.public import (
    AdapterSamples,
    ExchangeSample,
    NotificationSample,
    ReplySample,
    RequestSample,
)

KEY = "kumo-secret-of-the-tests"
ENVIRONMENT = {"KUMO_MERCHANT": "m_1", "KUMO_SECRET": KEY}
KNOWN = {PAYMENT: "pm_1"}
PAGE = "https://pay.kumo.example/pm_1"
BEFORE = datetime(2026, 1, 9, 3, 4, 5, tzinfo=UTC)


def call(command, number, **more):
    operation = f"order-7.{number}"
    moves = command != INQUIRY
    return Call(
        command=command,
        transaction="order-7",
        lifecycle="kumo",
        operation=operation if moves else "",
        tracks=("payment",),
        seed=f"seed of {operation}" if moves else "",
        **more,
    )


AUTHORIZE = call("authorize", 1, amount=500)
ASK = call("authorize", 1, amount=500, parameters={"with_consumer": True})
CAPTURE = call("capture", 3, amount=300, references=KNOWN)
CANCEL = call("cancel", 3, references=KNOWN)
REFUND = call("refund", 5, amount=200, references=KNOWN)
INQUIRE = call(INQUIRY, 0, references=KNOWN)


def says(asked, outcome="succeeded", **more):
    inquires = asked.command == INQUIRY
    return Evidence(
        source=Source.INQUIRY if inquires else Source.REPLY,
        transaction=asked.transaction,
        command=None if inquires else asked.command,
        outcome=Outcome(outcome),
        **more,
    )


def totals(**amounts):
    names = ("authorized", "captured", "released", "lapsed", "refunded")
    return {name: amounts.get(name, 0) for name in names}


def make():
    return Kumo.from_environment(ENVIRONMENT)


def samples():
    waits = ListedExchange(
        command="authorize", outcome=Outcome.PENDING, amount=500, exchange="pm_1"
    )
    return AdapterSamples(
        folder=Path(__file__).with_name("kumo"),
        environment=ENVIRONMENT,
        secrets=(KEY,),
        requests=[
            RequestSample("capture", CAPTURE),
            RequestSample("cancel", CANCEL),
            RequestSample("inquiry", INQUIRE),
        ],
        replies=[
            ReplySample("capture", CAPTURE, says(CAPTURE, amount=300)),
            ReplySample(
                "capture-declined",
                CAPTURE,
                says(CAPTURE, "declined", code="not_possible"),
            ),
            ReplySample(
                "capture-too-many",
                CAPTURE,
                says(CAPTURE, "unknown", not_before=BEFORE),
            ),
            ReplySample("cancel", CANCEL, says(CANCEL)),
            ReplySample(
                "inquiry",
                INQUIRE,
                says(
                    INQUIRE,
                    totals=totals(authorized=500, captured=300, released=200),
                    references=KNOWN,
                ),
            ),
            ReplySample(
                "inquiry-waits",
                INQUIRE,
                says(INQUIRE, listing=(waits,), references=KNOWN),
            ),
        ],
        exchanges=[
            ExchangeSample(
                "authorize",
                AUTHORIZE,
                says(
                    AUTHORIZE,
                    amount=500,
                    references=KNOWN,
                    deadlines={"authorization": BEFORE},
                ),
            ),
            ExchangeSample(
                "authorize-asks",
                ASK,
                says(ASK, "pending", references=KNOWN, disclosed={"page": PAGE}),
            ),
            ExchangeSample("refund", REFUND, says(REFUND, amount=200, exchange="re_1")),
        ],
        notifications=[
            NotificationSample("captured", (Mention(PAYMENT, "pm_1"),)),
            NotificationSample("forged", refused=True),
        ],
        sign=lambda body: {"Kumo-Signature": signature(KEY, body)},
        lifecycles=[LIFECYCLE_FILE],
        many_a_notification=False,
        never=frozenset({Outcome.REVERSED}),
    )
