"""The books: every object as the API shows it, and what else is known of a payment.

An object is a dict, so that an answer, an expansion and an event's snapshot are copies
of one thing; what begins with an underscore is not shown. Ids are counted, and say
nothing.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any, Final, TypeVar

import attrs

from kessai_adapters.emulators.shelf import Serial, Shelf
from kessai_adapters.emulators.stripe.errors import missing

ApiObject = dict[str, Any]
_Held = TypeVar("_Held")

_DIGITS: Final = 10


@attrs.define(eq=False)
class Payment:
    """A payment intent, with its charge and all that hangs on that."""

    intent: ApiObject
    charge: ApiObject | None = None
    refunds: list[ApiObject] = attrs.field(factory=list[ApiObject])
    disputes: list[ApiObject] = attrs.field(factory=list[ApiObject])
    left_over: list[str] = attrs.field(factory=list[str])
    """The refunds that gave back what was never captured."""
    captures: int = 0
    is_multicapture: bool = False
    off_session: bool = False

    @property
    def id(self) -> str:
        """The intent's id."""
        return str(self.intent["id"])

    @property
    def given_back(self) -> int:
        """What was refunded of what was captured, or is about to be."""
        return sum(
            refund["amount"]
            for refund in self.refunds
            if refund["id"] not in self.left_over
            and refund["status"] not in {"failed", "canceled"}
        )

    @property
    def refundable(self) -> int:
        """What is left to refund."""
        lost: int = sum(
            one["amount"] for one in self.disputes if one["status"] == "lost"
        )
        received: int = self.intent["amount_received"]
        return received - self.given_back - lost


class Books:
    """All that the emulator remembers, in memory, and in a file if there is one."""

    def __init__(self, clock: Callable[[], datetime], shelf: Shelf | None) -> None:
        self.clock = clock
        self.payments: dict[str, Payment] = {}
        self.customers: dict[str, ApiObject] = {}
        self.methods: dict[str, ApiObject] = {}
        self.setups: dict[str, ApiObject] = {}
        self.answers: dict[str, ApiObject] = {}
        self.events: list[ApiObject] = []
        self._shelf = shelf
        self._serial = Serial(shelf)
        if shelf is not None:
            self._read(shelf)

    def _read(self, shelf: Shelf) -> None:
        rows = [json.loads(row) for row in shelf.rows()]
        for row in sorted(rows, key=lambda row: str(row["id"])[-_DIGITS:]):
            held = Payment(**row["held"]) if row["kind"] == "payments" else row["held"]
            getattr(self, row["kind"])[row["id"]] = held

    def whole(self) -> AbstractContextManager[None]:
        """Keep all that is written meanwhile, or nothing of it if the process dies."""
        return nullcontext() if self._shelf is None else self._shelf.whole()

    def keep(self, payment: Payment) -> None:
        """Write a payment down."""
        self.payments[payment.id] = payment
        self._keep("payments", payment.id, attrs.asdict(payment))

    def keep_object(self, kind: str, name: str, held: ApiObject) -> None:
        """Write one of the `customers`, `methods`, `setups` or `answers` down."""
        getattr(self, kind)[name] = held
        self._keep(kind, name, held)

    def _keep(self, kind: str, name: str, held: ApiObject) -> None:
        if self._shelf is not None:
            row = json.dumps({"kind": kind, "id": name, "held": held})
            self._shelf.keep(f"{kind}/{name}", row)

    def new_id(self, prefix: str) -> str:
        """An id that was never given before."""
        return f"{prefix}_kessai{self._serial.next():0{_DIGITS}}"

    def now(self) -> int:
        """The time in seconds since 1970."""
        return int(self.clock().timestamp())

    def named(self, name: str) -> str:
        """The id of the intent that somebody means: by its id, or by its metadata.

        Of several it is the last. What is none is returned as it is.
        """
        if name in self.payments or name in self.setups:
            return name
        intents = [payment.intent for payment in self.payments.values()]
        for intent in reversed([*self.setups.values(), *intents]):
            if name in intent["metadata"].values():
                return str(intent["id"])
        return name

    def payment(self, name: str, param: str = "") -> Payment:
        """The payment of an intent's id.

        Raises:
            ApiError: there is none.

        """
        return _found(self.payments, "payment_intent", name, param)

    def method(self, name: str, param: str = "") -> ApiObject:
        """A payment method.

        Raises:
            ApiError: there is none.

        """
        return _found(self.methods, "PaymentMethod", name, param)

    def customer(self, name: str, param: str = "") -> ApiObject:
        """A customer.

        Raises:
            ApiError: there is none.

        """
        return _found(self.customers, "customer", name, param)

    def of_charge(self, name: str, param: str) -> Payment:
        """The payment that has a charge.

        Raises:
            ApiError: there is none.

        """
        for payment in self.payments.values():
            if payment.charge is not None and payment.charge["id"] == name:
                return payment
        what = "charge"
        raise missing(what, name, param)

    def refunds(self) -> Iterator[ApiObject]:
        """Every refund."""
        for payment in self.payments.values():
            yield from payment.refunds

    def disputes(self) -> Iterator[ApiObject]:
        """Every dispute."""
        for payment in self.payments.values():
            yield from payment.disputes

    def close(self) -> None:
        """Let go of the file."""
        if self._shelf is not None:
            self._shelf.close()


def _found(held: Mapping[str, _Held], what: str, name: str, param: str) -> _Held:
    found = held.get(name)
    if found is None:
        raise missing(what, name, param)
    return found
