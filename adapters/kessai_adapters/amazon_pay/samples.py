"""What is on record of Amazon Pay, for `pytest --kessai-adapter amazon_pay`.

The messages are in the folder `recorded`: made up after Amazon's documents, as are the
merchant, the store and the key, which is another one in every process.
"""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from kessai.gateway import INQUIRY, Call, Evidence, ListedExchange, Outcome, Source
from kessai.testing.adapter_kit.public import (
    AdapterSamples,
    ExchangeSample,
    NotificationSample,
    ReplySample,
    RequestSample,
)

FOLDER = Path(__file__).parent / "recorded"
LIFECYCLES = ("amazon_pay", "amazon_pay_charge", "amazon_pay_recurring")

_SESSION = {"checkout_session": "s-1"}
_KNOWN = {**_SESSION, "charge_permission": "P03-1", "charge": "P03-1-C1"}
_CONSENT = {**_SESSION, "charge_permission": "B01-1"}
_ENDS = datetime(2026, 2, 4, 3, 4, 5, tzinfo=UTC)
_REST = datetime(2026, 1, 5, 3, 5, 5, tzinfo=UTC)
_PAGE = "https://payments.amazon.co.jp/checkout/processing?amazonCheckoutSessionId=s-1"
_MONTHLY = {"frequency": {"unit": "Month", "value": 1}}


def _call(command: str, number: int = 1, **more: Any) -> Call:
    operation = "" if command == INQUIRY else f"order-7.{number}"
    given: dict[str, Any] = {
        "lifecycle": "amazon_pay",
        "tracks": ("payment",),
        "operation": operation,
        "seed": operation and f"seed of {operation}",
        **more,
    }
    return Call(command=command, transaction="order-7", **given)


def _recurring(command: str, number: int = 1, **more: Any) -> Call:
    kind = {"lifecycle": "amazon_pay_recurring", "tracks": ("consent",)}
    return _call(command, number, **kind, **more)


AUTHORIZE = _call(
    "authorize",
    amount=1200,
    parameters={"note": "珈琲豆", "result_url": "https://shop.example/done"},
)
COMPLETE = _call(
    "authorize",
    amount=1200,
    references=_SESSION,
    resumed={"amazonCheckoutSessionId": "s-1"},
)
CREATE_CHARGE = _call(
    "create_charge",
    lifecycle="amazon_pay_charge",
    amount=1200,
    agreement="club-7",
    agreement_references=_CONSENT,
    parameters={"allow_pending": True},
)
CAPTURE = _call("capture", 5, amount=1000, references=_KNOWN)
CANCEL = _call("cancel", 5, references=_KNOWN, parameters={"reason": "sold out"})
REFUND = _call("refund", 7, amount=300, references=_KNOWN)
SET_UP = _recurring("authorize", amount=980, parameters=_MONTHLY)
UPDATE = _recurring(
    "update_consent", 5, amount=980, parameters=_MONTHLY, references=_CONSENT
)
TERMINATE = _recurring("terminate", 5, references=_CONSENT)
INQUIRE = _call(INQUIRY, references=_KNOWN)
INQUIRE_SESSION = _call(INQUIRY, references=_SESSION)
INQUIRE_CONSENT = _recurring(INQUIRY, references=_CONSENT)
INQUIRE_REFUNDS = _call(
    INQUIRY, references={**_KNOWN, "refund_7": "R1", "refund_9": "R2"}
)


def _says(call: Call, outcome: str = "succeeded", **more: Any) -> Evidence:
    inquires = call.command == INQUIRY
    return Evidence(
        source=Source.INQUIRY if inquires else Source.REPLY,
        transaction=call.transaction,
        command=None if inquires else call.command,
        outcome=Outcome(outcome),
        **more,
    )


def _totals(**amounts: int) -> dict[str, int]:
    names = ("authorized", "captured", "released", "lapsed", "refunded")
    return {name: amounts.get(name, 0) for name in names}


def _listed(command: str, outcome: str, **more: Any) -> ListedExchange:
    return ListedExchange(command=command, outcome=Outcome(outcome), **more)


_OPENED = _listed(
    "authorize",
    "succeeded",
    amount=1200,
    exchange="s-1",
    at=datetime(2026, 1, 5, 3, 4, 5, tzinfo=UTC),
)

REPLIES = (
    ReplySample(
        "authorize",
        AUTHORIZE,
        _says(
            AUTHORIZE,
            "pending",
            exchange="s-1",
            references=_SESSION,
            disclosed={"page": _PAGE, **_SESSION},
        ),
    ),
    ReplySample(
        "authorize-refused",
        AUTHORIZE,
        _says(AUTHORIZE, "declined", code="InvalidParameterValue"),
    ),
    ReplySample(
        "create-charge",
        CREATE_CHARGE,
        _says(
            CREATE_CHARGE,
            amount=1200,
            references={"charge": "P03-1-C1"},
            deadlines={"authorization": _ENDS},
        ),
    ),
    ReplySample(
        "create-charge-declined",
        CREATE_CHARGE,
        _says(
            CREATE_CHARGE,
            "declined",
            code="HardDeclined",
            references={"charge": "P03-1-C1"},
        ),
    ),
    ReplySample(
        "create-charge-pending",
        CREATE_CHARGE,
        _says(CREATE_CHARGE, "pending", amount=1200, references={"charge": "P03-1-C1"}),
    ),
    ReplySample("capture", CAPTURE, _says(CAPTURE, amount=1000)),
    ReplySample("capture-pending", CAPTURE, _says(CAPTURE, "pending")),
    ReplySample(
        "capture-too-late",
        CAPTURE,
        _says(CAPTURE, "declined", code="InvalidChargeStatus", needs_inquiry=True),
    ),
    ReplySample(
        "capture-other-request",
        CAPTURE,
        _says(CAPTURE, "unknown", code="DuplicateIdempotencyKey"),
    ),
    ReplySample(
        "capture-too-many",
        CAPTURE,
        _says(CAPTURE, "unknown", code="TooManyRequests", not_before=_REST),
    ),
    ReplySample("cancel", CANCEL, _says(CANCEL, code="MerchantCanceled")),
    ReplySample(
        "refund",
        REFUND,
        _says(REFUND, "pending", exchange="R1", references={"refund_7": "R1"}),
    ),
    ReplySample("update-consent", UPDATE, _says(UPDATE, amount=980)),
    ReplySample("terminate", TERMINATE, _says(TERMINATE)),
    ReplySample(
        "inquiry-authorized",
        INQUIRE,
        _says(
            INQUIRE,
            listing=(_OPENED,),
            totals=_totals(authorized=1200),
            references=_KNOWN,
            deadlines={"authorization": _ENDS},
        ),
    ),
    ReplySample(
        "inquiry-cancelled",
        INQUIRE,
        _says(
            INQUIRE,
            listing=(_OPENED,),
            totals=_totals(authorized=1200, released=1200),
            references=_KNOWN,
        ),
    ),
    ReplySample(
        "inquiry-lapsed",
        INQUIRE,
        _says(
            INQUIRE,
            listing=(_OPENED,),
            totals=_totals(authorized=1200, lapsed=1200),
            references=_KNOWN,
        ),
    ),
    ReplySample(
        "inquiry-session",
        INQUIRE_SESSION,
        _says(
            INQUIRE_SESSION,
            listing=(_listed("authorize", "pending", amount=1200, exchange="s-1"),),
            references=_SESSION,
        ),
    ),
    ReplySample(
        "inquiry-consent",
        INQUIRE_CONSENT,
        _says(
            INQUIRE_CONSENT,
            listing=(
                _listed("authorize", "succeeded", exchange="s-1"),
                _listed("terminate", "succeeded"),
            ),
            totals={"agreed": 980},
            references=_CONSENT,
        ),
    ),
)
AUTHORIZED = _says(
    COMPLETE,
    amount=1200,
    references={"charge_permission": "P03-1", "charge": "P03-1-C1"},
    deadlines={"authorization": _ENDS},
)
EXCHANGES = (
    ExchangeSample("complete", COMPLETE, AUTHORIZED),
    ExchangeSample("complete-again", COMPLETE, AUTHORIZED),
    ExchangeSample(
        "complete-declined",
        COMPLETE,
        _says(COMPLETE, "declined", code="Declined", references=_SESSION),
    ),
    ExchangeSample("cancel-again", CANCEL, _says(CANCEL, code="MerchantCanceled")),
    ExchangeSample(
        "inquiry-refunds",
        INQUIRE_REFUNDS,
        _says(
            INQUIRE_REFUNDS,
            listing=(
                _OPENED,
                *(
                    _listed(
                        "refund",
                        outcome,
                        amount=300,
                        exchange=exchange,
                        operation=f"order-7.{number}",
                    )
                    for number, exchange, outcome in (
                        (7, "R1", "succeeded"),
                        (9, "R2", "declined"),
                    )
                ),
            ),
            totals=_totals(authorized=1200, captured=1000, released=200, refunded=300),
            references=INQUIRE_REFUNDS.references,
        ),
    ),
)


@cache
def made_up_key() -> str:
    """An RSA key that opens nothing, as PEM."""
    from Crypto.PublicKey import RSA

    return RSA.generate(2048).export_key().decode()


def samples() -> AdapterSamples:
    """All that is on record."""
    key = made_up_key()
    named = {
        "authorize": AUTHORIZE,
        "authorize-recurring": SET_UP,
        "create-charge": CREATE_CHARGE,
        "capture": CAPTURE,
        "cancel": CANCEL,
        "refund": REFUND,
        "update-consent": UPDATE,
        "terminate": TERMINATE,
        "inquiry": INQUIRE,
    }
    return AdapterSamples(
        folder=FOLDER,
        environment={
            "KESSAI_AMAZON_PAY_MERCHANT_ID": "A0MADEUP000000",
            "KESSAI_AMAZON_PAY_STORE_ID": "amzn1.application-oa2-client.madeup",
            "KESSAI_AMAZON_PAY_KEY_ID": "SANDBOX-MADEUP0000000000",
            "KESSAI_AMAZON_PAY_KEY": key,
            "KESSAI_AMAZON_PAY_REGION": "jp",
        },
        secrets=(key,),
        personal=("Yamada Hanako", "hanako@shop.example"),
        requests=[RequestSample(name, call) for name, call in named.items()],
        replies=REPLIES,
        exchanges=EXCHANGES,
        notifications=[NotificationSample("forged", refused=True)],
        lifecycles=LIFECYCLES,
        many_a_notification=False,
        notifications_fetch=True,
        never=frozenset({Outcome.REVERSED}),
    )
