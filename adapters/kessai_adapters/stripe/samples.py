"""What is on record of this gateway, for `pytest --kessai-adapter stripe`.

The messages are in the folder `recorded`. The replies were written after Stripe's
documents, as its stand-in gives them; the account and the secrets are made up.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
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

FOLDER = Path(__file__).parent / "recorded"
KEY = "sk_test_onRecord0123456789"
SECRET = "whsec_onRecord0123456789"  # noqa: S105 (made up)
ROLLED = "whsec_rolled0123456789"
ENVIRONMENT = {
    "KESSAI_STRIPE_KEY": KEY,
    "KESSAI_STRIPE_ACCOUNT": "acct_1OnRecord",
    "KESSAI_STRIPE_WEBHOOK_SECRET": f"{ROLLED},{SECRET}",
}
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
"""When everything on record happened."""

PI, CH = "pi_3OnRecord", "ch_3OnRecord"
KNOWN = {"payment_intent": PI}
IDS = {**KNOWN, "charge": CH}
SAVED = {"payment_method": "pm_1OnRecord", "customer": "cus_OnRecord"}
DEADLINES = dict.fromkeys(("authorization", "rest"), AT + timedelta(days=7))


def call(command: str, number: int = 0, **given: Any) -> Call:
    """A call about `order-7`."""
    moves = command != INQUIRY
    operation = f"order-7.{number}" if moves else ""
    about: dict[str, Any] = {"lifecycle": "card", "tracks": ("payment",), **given}
    return Call(
        command=command,
        transaction="order-7",
        operation=operation,
        begun_at=AT,
        seed=f"seed of {operation}" if moves else "",
        **about,
    )


def _save(command: str, number: int = 0, **given: Any) -> Call:
    return call(command, number, lifecycle="saved_card", tracks=("consent",), **given)


CARD = {"payment_method": "pm_card_visa"}
AUTHORIZE = call("authorize", 1, amount=1000, parameters=CARD)
AT_ONCE = call(
    "authorize",
    1,
    amount=1000,
    currency="ISK",
    parameters={
        **CARD,
        "with_capture": True,
        "customer": "cus_OnRecord",
        "save_payment_method": True,
        "description": "珈琲豆 200g",
    },
)
ASKS = call(
    "authorize",
    1,
    amount=1000,
    parameters={
        "payment_method": "pm_card_threeDSecure2Required",
        "return_url": "https://shop.example/done?order=7",
        "several_captures": True,
    },
)
IN_BROWSER = call("authorize", 1, amount=1000)
CHARGE = call(
    "authorize",
    1,
    amount=1000,
    lifecycle="saved_card_charge",
    agreement="card-1",
    agreement_references=SAVED,
)
CAPTURE = call("capture", 3, amount=400, references=IDS)
PART = call("capture_part", 3, amount=400, references=IDS)
CANCEL = call(
    "cancel", 3, references=IDS, parameters={"reason": "requested_by_customer"}
)
REFUND = call("refund", 5, amount=100, references=IDS)
INQUIRE = call(INQUIRY, references=IDS)
SEARCH = call(INQUIRY)
SET_UP = _save("set_up", 1, parameters={**CARD, "customer": "cus_OnRecord"})
TERMINATE = _save("terminate", 3, references={"setup_intent": "seti_1", **SAVED})


def says(asked: Call, outcome: str = "succeeded", **more: Any) -> Evidence:
    """The evidence about a call."""
    inquires = asked.command == INQUIRY
    return Evidence(
        source=Source.INQUIRY if inquires else Source.REPLY,
        transaction=asked.transaction,
        command=None if inquires else asked.command,
        outcome=Outcome(outcome),
        **more,
    )


def done(command: str, amount: int | None = None, **more: Any) -> ListedExchange:
    """A success as an inquiry lists it."""
    return ListedExchange(
        command=command, outcome=Outcome.SUCCEEDED, amount=amount, **more
    )


OPENED = done("authorize", 1000, exchange=PI, at=AT, operation="order-7.1")
REQUESTS = [
    RequestSample("authorize", AUTHORIZE),
    RequestSample("authorize-at-once", AT_ONCE),
    RequestSample("authorize-asks", ASKS),
    RequestSample("authorize-in-the-browser", IN_BROWSER),
    RequestSample("charge", CHARGE),
    RequestSample("capture", CAPTURE),
    RequestSample("capture-part", PART),
    RequestSample("cancel", CANCEL),
    RequestSample("refund", REFUND),
    RequestSample("set-up", SET_UP),
    RequestSample("terminate", TERMINATE),
    RequestSample("inquiry", INQUIRE),
    RequestSample("inquiry-without-an-id", SEARCH),
]
REPLIES = [
    ReplySample(
        "authorize",
        AUTHORIZE,
        says(AUTHORIZE, amount=1000, exchange=PI, references=IDS, deadlines=DEADLINES),
    ),
    ReplySample(
        "authorize-asks",
        ASKS,
        says(
            ASKS,
            "pending",
            exchange=PI,
            references=KNOWN,
            disclosed={
                "client_secret": f"{PI}_secret_OnRecord",
                "page": f"https://hooks.stripe.example/redirect/{PI}",
            },
        ),
    ),
    ReplySample(
        "authorize-declined",
        AUTHORIZE,
        says(
            AUTHORIZE,
            "declined",
            code="card_declined/generic_decline",
            references=KNOWN,
        ),
    ),
    ReplySample(
        "authorize-too-many",
        AUTHORIZE,
        says(AUTHORIZE, "declined", code="rate_limit"),
    ),
    ReplySample(
        "authorize-other-body",
        AUTHORIZE,
        says(AUTHORIZE, "unknown", code="idempotency_error"),
    ),
    ReplySample(
        "authorize-broken",
        AUTHORIZE,
        says(AUTHORIZE, "unknown", code="api_error"),
    ),
    ReplySample("capture", CAPTURE, says(CAPTURE, amount=400, references=IDS)),
    ReplySample("capture-part", PART, says(PART, amount=400, references=IDS)),
    ReplySample(
        "capture-done-already",
        CAPTURE,
        says(
            CAPTURE,
            "unknown",
            code="payment_intent_unexpected_state",
            needs_inquiry=True,
        ),
    ),
    ReplySample("cancel", CANCEL, says(CANCEL, references=IDS)),
    ReplySample("refund", REFUND, says(REFUND, amount=100, exchange="re_3OnRecord")),
    ReplySample(
        "refund-pending",
        REFUND,
        says(REFUND, "pending", amount=100, exchange="re_3OnRecord"),
    ),
    ReplySample(
        "refund-too-much",
        REFUND,
        says(REFUND, "declined", code="invalid_request_error"),
    ),
    ReplySample(
        "set-up",
        SET_UP,
        says(
            SET_UP,
            exchange="seti_1OnRecord",
            references={"setup_intent": "seti_1OnRecord", **SAVED},
        ),
    ),
    ReplySample("terminate", TERMINATE, says(TERMINATE)),
    ReplySample(
        "inquiry",
        INQUIRE,
        says(INQUIRE, listing=(OPENED,), references=IDS, deadlines=DEADLINES),
    ),
    ReplySample(
        "inquiry-cancelled",
        INQUIRE,
        says(INQUIRE, listing=(OPENED, done("cancel")), references=IDS),
    ),
]
EXCHANGES = [
    ExchangeSample("inquiry-not-found", SEARCH, says(SEARCH, found=False)),
    ExchangeSample(
        "inquiry-refunded",
        INQUIRE,
        says(
            INQUIRE,
            listing=(
                OPENED,
                done("capture", 400, operation="order-7.3"),
                done(
                    "refund",
                    100,
                    exchange="re_3OnRecord",
                    at=AT,
                    operation="order-7.5",
                ),
            ),
            references=IDS,
        ),
    ),
]
NOTIFICATIONS = [
    NotificationSample(
        "authorized",
        (
            Evidence(
                source=Source.NOTIFICATION,
                transaction="order-7",
                command=None,
                outcome=Outcome.UNKNOWN,
                needs_inquiry=True,
                references=KNOWN,
            ),
        ),
    ),
    NotificationSample("disputed", (Mention("payment_intent", PI),)),
    NotificationSample("of-no-payment", ()),
    NotificationSample("of-a-live-payment", refused=True),
    NotificationSample("forged", refused=True),
]


def sign(body: bytes) -> Mapping[str, str]:
    """The header under which Stripe sends a body."""
    at = int(AT.timestamp())
    signed = f"{at}.".encode() + body
    proof = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={at},v1={proof}"}


def samples() -> AdapterSamples:
    """All that the kit needs."""
    return AdapterSamples(
        folder=FOLDER,
        environment=ENVIRONMENT,
        secrets=(KEY, SECRET, ROLLED),
        requests=REQUESTS,
        replies=REPLIES,
        exchanges=EXCHANGES,
        notifications=NOTIFICATIONS,
        sign=sign,
        lifecycles=("card", "saved_card", "saved_card_charge"),
        many_a_notification=False,
        never=frozenset({Outcome.REVERSED}),
    )
