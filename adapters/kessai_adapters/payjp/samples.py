"""What is on record of this gateway, for `pytest --kessai-adapter payjp`.

The messages are in the folder `recorded`; the key, the token and the account are made up.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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

KEY = "sk_test_" + "c0ffee" * 4
TOKEN = "whook_" + "decaf0" * 4
FOLDER = Path(__file__).parent / "recorded"

FLOW, SETUP, CUSTOMER, METHOD = "pfw_1", "sfw_1", "cus_1", "pm_1"
KNOWN = {"payment_flow": FLOW}
SAVED = {"setup_flow": SETUP, "customer": CUSTOMER, "payment_method": METHOD}
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
UNTIL = {"authorization": datetime(2026, 1, 9, 3, 4, 5, tzinfo=UTC)}
SECRET = f"{FLOW}_secret_1"


def call(command: str, number: int, **more: Any) -> Call:
    """A call about order-7, or about what `more` says."""
    order = more.pop("transaction", "order-7")
    operation = f"{order}.{number}" if command != INQUIRY else ""
    return Call(
        command=command,
        transaction=order,
        lifecycle=more.pop("lifecycle", "card"),
        operation=operation,
        tracks=more.pop("tracks", ("payment",)),
        seed=f"seed of {operation}" if operation else "",
        **more,
    )


def says(asked: Call, outcome: str = "succeeded", **more: Any) -> Evidence:
    """Evidence about a call."""
    inquires = asked.command == INQUIRY
    return Evidence(
        source=Source.INQUIRY if inquires else Source.REPLY,
        transaction=asked.transaction,
        command=None if inquires else asked.command,
        outcome=Outcome(outcome),
        **more,
    )


def listed(command: str, outcome: str = "succeeded", **more: Any) -> ListedExchange:
    """An exchange as an inquiry lists it."""
    return ListedExchange(command=command, outcome=Outcome(outcome), **more)


def _opening(outcome: str = "succeeded") -> ListedExchange:
    made = {"exchange": FLOW, "at": AT, "operation": "order-7.1"}
    return listed("authorize", outcome, amount=500, **made)


SAVED_CARD = {"customer": CUSTOMER, "payment_method": METHOD}
CONSENT = {"lifecycle": "saved_card", "tracks": ("consent",), "transaction": "club-1"}

AUTHORIZE = call("authorize", 1, amount=500, parameters={"description": "珈琲豆 200g"})
PAY = call("authorize", 1, amount=500, parameters=SAVED_CARD)
CHARGE = call(
    "authorize",
    1,
    lifecycle="saved_card_charge",
    amount=500,
    agreement="club-1",
    agreement_references=SAVED,
    parameters={"with_capture": True},
)
CAPTURE = call("capture", 3, amount=300, references=KNOWN)
CANCEL = call("cancel", 3, references=KNOWN)
REFUND = call("refund", 5, amount=100, references=KNOWN)
SET_UP = call("set_up", 1, **CONSENT, parameters={"customer": CUSTOMER})
TERMINATE = call("terminate", 3, **CONSENT, references=SAVED)
INQUIRE = call(INQUIRY, 0, references=KNOWN)
SEARCH = call(INQUIRY, 0)
INQUIRE_CONSENT = call(INQUIRY, 0, **CONSENT, references=SAVED)

REQUESTS = (
    RequestSample("authorize", AUTHORIZE),
    RequestSample("capture", CAPTURE),
    RequestSample("cancel", CANCEL),
    RequestSample("refund", REFUND),
    RequestSample("set-up", SET_UP),
    RequestSample("terminate", TERMINATE),
    RequestSample("inquiry", INQUIRE),
    RequestSample("inquiry-without-an-id", SEARCH),
)

REPLIES = (
    ReplySample(
        "authorize",
        AUTHORIZE,
        says(
            AUTHORIZE,
            "pending",
            references=KNOWN,
            disclosed={"client_secret": SECRET},
        ),
    ),
    ReplySample("capture", CAPTURE, says(CAPTURE, amount=300)),
    ReplySample(
        "capture-too-late",
        CAPTURE,
        says(CAPTURE, "declined", code="payment_flow_expired"),
    ),
    ReplySample(
        "capture-not-possible",
        CAPTURE,
        says(CAPTURE, "unknown", code="invalid_status", needs_inquiry=True),
    ),
    ReplySample(
        "capture-of-another-key",
        CAPTURE,
        says(CAPTURE, "unknown", code="idempotency_conflict", needs_inquiry=True),
    ),
    ReplySample("cancel", CANCEL, says(CANCEL)),
    ReplySample("refund", REFUND, says(REFUND, amount=100, exchange="re_1")),
    ReplySample(
        "refund-pending",
        REFUND,
        says(REFUND, "pending", amount=100, exchange="re_1"),
    ),
    ReplySample(
        "refund-failed",
        REFUND,
        says(REFUND, "declined", code="failed", amount=100, exchange="re_1"),
    ),
    ReplySample(
        "refund-too-many",
        REFUND,
        says(REFUND, "declined", code="over_capacity"),
    ),
    ReplySample(
        "set-up",
        SET_UP,
        says(
            SET_UP,
            "pending",
            references={"setup_flow": SETUP, "customer": CUSTOMER},
        ),
    ),
    ReplySample("terminate", TERMINATE, says(TERMINATE)),
    ReplySample(
        "inquiry-authorized",
        INQUIRE,
        says(INQUIRE, listing=(_opening(),), references=KNOWN, deadlines=UNTIL),
    ),
    ReplySample(
        "inquiry-waits",
        INQUIRE,
        says(INQUIRE, listing=(_opening("pending"),), references=KNOWN),
    ),
    ReplySample("inquiry-of-nothing", SEARCH, says(SEARCH, found=False)),
)

EXCHANGES = (
    ExchangeSample(
        "pay",
        PAY,
        says(PAY, amount=500, exchange=FLOW, references=KNOWN, deadlines=UNTIL),
    ),
    ExchangeSample("pay-asked", PAY, says(PAY, "pending", references=KNOWN)),
    ExchangeSample(
        "pay-declined",
        PAY,
        says(PAY, "declined", code="card_declined", references=KNOWN),
    ),
    ExchangeSample(
        "charge",
        CHARGE,
        says(CHARGE, amount=500, exchange=FLOW, references=KNOWN),
    ),
    ExchangeSample(
        "inquiry-refunded",
        INQUIRE,
        says(
            INQUIRE,
            listing=(
                _opening(),
                listed("capture", amount=300),
                listed(
                    "refund",
                    amount=100,
                    exchange="re_1",
                    at=AT,
                    operation="order-7.5",
                ),
            ),
            references=KNOWN,
        ),
    ),
    ExchangeSample(
        "inquiry-canceled",
        INQUIRE,
        says(
            INQUIRE,
            listing=(_opening(), listed("cancel", at=AT)),
            references=KNOWN,
        ),
    ),
    ExchangeSample(
        "inquiry-of-a-consent",
        INQUIRE_CONSENT,
        says(
            INQUIRE_CONSENT,
            listing=(
                listed("set_up", exchange=SETUP, at=AT, operation="club-1.1"),
                listed("terminate", at=AT),
            ),
            references=SAVED,
        ),
    ),
)

NOTIFICATIONS = (
    NotificationSample("captured", (Mention("payment_flow", FLOW),)),
    NotificationSample("refunded", (Mention("payment_flow", FLOW),)),
    NotificationSample("saved", (Mention("setup_flow", SETUP),)),
    NotificationSample("another-token", refused=True),
)


def sign(_body: bytes) -> Mapping[str, str]:
    """The token, which is no signature: it is the same for every body."""
    return {"X-Payjp-Webhook-Token": TOKEN}


def samples() -> AdapterSamples:
    """Everything that is on record."""
    return AdapterSamples(
        folder=FOLDER,
        environment={
            "KESSAI_PAYJP_KEY": KEY,
            "KESSAI_PAYJP_WEBHOOK_TOKEN": TOKEN,
            "KESSAI_PAYJP_MERCHANT": "shop",
        },
        secrets=(KEY, TOKEN),
        requests=REQUESTS,
        replies=REPLIES,
        exchanges=EXCHANGES,
        notifications=NOTIFICATIONS,
        sign=sign,
        signs_body=False,
        lifecycles=("card", "saved_card", "saved_card_charge"),
        many_a_notification=False,
        never=frozenset({Outcome.REVERSED}),
    )
