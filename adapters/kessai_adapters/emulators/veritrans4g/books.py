"""The gateway's books: every order, its amounts, its states and its exchanges.

Owns what is true about an order and the invariants that hold between its amounts.
Knows nothing of the wire, of notifications or of which command may follow which.
Amounts are integers in yen; times are aware and in UTC.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Final, TypedDict

import attrs
import msgspec

from kessai_adapters.emulators.shelf import Serial, Shelf
from kessai_adapters.emulators.veritrans4g.codes import Code
from kessai_adapters.emulators.veritrans4g.errors import BooksBroken
from kessai_adapters.emulators.veritrans4g.words import (
    Command,
    Consent,
    Kind,
    Payment,
    Result,
    Step,
)

CAPTURED_STATES: Final = frozenset(
    {Payment.CAPTURED, Payment.PARTIALLY_REFUNDED, Payment.REFUNDED}
)
_RELEASED_STATES: Final = frozenset({Payment.CANCELLED, Payment.EXPIRED})
# Numbers are taken from the file in blocks, so that giving one costs no write.

_PAYMENT_WORK: Final = frozenset(
    {Command.CAPTURE, Command.CANCEL, Command.UPDATE_AUTHORIZE}
)
_CONSENT_WORK: Final = frozenset({Command.TERMINATE, Command.UPDATE_CONSENT})


@attrs.frozen(kw_only=True)
class Terms:
    """A consent's terms (R9): yen at most, how often, and the note to the buyer."""

    amount: int
    frequency_unit: str
    frequency_value: int
    note: str = ""


@attrs.define(kw_only=True)
class Exchange:
    """One command that reached an order, as an inquiry lists it."""

    txn_id: str
    command: Command
    result: Result
    code: Code
    at: datetime
    amount: int | None = None
    terms: Terms | None = None
    """The terms that an update of the consent asks for, until it is final."""


@attrs.frozen(kw_only=True)
class Urls:
    """Where the gateway sends the browser and its items; empty if unknown."""

    success: str = ""
    cancel: str = ""
    error: str = ""
    confirm: str = ""
    """The merchant's own confirmation page (F2); empty for the gateway's (F1)."""
    authorize_notification: str = ""
    capture_notification: str = ""
    cancel_notification: str = ""


@attrs.define(kw_only=True)
class Order:
    """One order id and everything under it: a payment, a consent, or both."""

    order_id: str
    number: int
    kind: Kind
    dummy: bool
    amount: int
    """Yen asked for; the authorization takes it when the consumer has finished."""
    with_capture: bool
    payment: Payment
    consent: Consent | None
    urls: Urls
    terms: Terms | None = None
    note: str = ""
    hide_address: bool = False
    original_order_id: str = ""

    step: Step = Step.INVITED
    browser_open: bool = True
    redirect_given: bool = False
    """The merchant was given the page where the consumer confirms (F2)."""
    held: bool = False
    """The authorization stays pending after the consumer's approval, on request."""

    authorized: int = 0
    captured: int = 0
    released: int = 0
    refunded: int = 0
    refunding: int = 0
    expires_at: datetime | None = None
    exchanges: list[Exchange] = attrs.field(factory=list[Exchange])

    @property
    def refundable(self) -> int:
        """Yen that may still be refunded: captured − refunded − in progress (O4)."""
        return self.captured - self.refunded - self.refunding

    @property
    def center_order_id(self) -> str:
        """Amazon's id of what the order belongs to."""
        return f"S03-{self.number // 10_000_000:07d}-{self.number % 10_000_000:07d}"

    @property
    def application(self) -> Exchange:
        """The exchange that made the order: `Authorize` or `ReAuthorize`."""
        return self.exchanges[0]

    @property
    def payment_busy(self) -> bool:
        """A capture, cancel or update is pending; nothing else may start."""
        return self._pending(_PAYMENT_WORK)

    @property
    def consent_busy(self) -> bool:
        """A termination or an update of the consent is pending."""
        return self._pending(_CONSENT_WORK)

    def _pending(self, commands: frozenset[Command]) -> bool:
        return any(
            exchange.result is Result.PENDING and exchange.command in commands
            for exchange in self.exchanges
        )

    def let_expire(self, now: datetime) -> bool:
        """Expire the authorization if its 30 days are over (O6), and return whether it did.

        Not while a command is pending: what Amazon accepted in time stays in time.
        """
        if (
            self.payment is not Payment.AUTHORIZED
            or self.expires_at is None
            or now < self.expires_at
            or self.payment_busy
        ):
            return False
        self.payment = Payment.EXPIRED
        self.released = self.authorized
        return True


def _amount_faults(order: Order) -> Iterator[tuple[bool, str]]:
    used = order.captured + order.released
    state = order.payment
    none = state in {Payment.NONE, Payment.REQUESTED, Payment.FAILED}
    lowest = min(
        order.authorized,
        order.captured,
        order.released,
        order.refunded,
        order.refunding,
    )
    yield lowest < 0, "an amount below zero"
    yield none != (order.authorized == 0), "authorized without the state for it"
    yield state is Payment.AUTHORIZED and used != 0, "used while only authorized"
    yield (state in CAPTURED_STATES) != (order.captured > 0), "captured, or not"
    yield order.captured > 0 and used != order.authorized, "a rest was not released"
    yield (
        state in _RELEASED_STATES and order.released != order.authorized,
        "cancelled or expired, and not released",
    )
    yield order.refundable < 0, "refunds above the capture"
    yield (
        state in CAPTURED_STATES and state is not refund_state(order),
        "the state does not follow from the amounts",
    )


def _record_faults(order: Order) -> Iterator[tuple[bool, str]]:
    refunded = refunding = 0
    for exchange in order.exchanges:
        if exchange.command is Command.REFUND:
            if exchange.result is Result.SUCCESS:
                refunded += exchange.amount or 0
            elif exchange.result is Result.PENDING:
                refunding += exchange.amount or 0
    yield refunded != order.refunded, "refunded is not the sum of the refunds"
    yield refunding != order.refunding, "refunding is not the sum of pending refunds"
    recurring = order.kind is Kind.RECURRING
    yield recurring != (order.consent is not None), "a consent where none belongs"
    yield recurring != (order.terms is not None), "terms where none belong"
    yield (
        (order.kind is Kind.REAUTHORIZED) != bool(order.original_order_id),
        "an origin where none belongs",
    )


def refund_state(order: Order) -> Payment:
    """How a captured payment stands, derived from its amounts."""
    if order.refunded == 0:
        return Payment.CAPTURED
    if order.refunded < order.captured:
        return Payment.PARTIALLY_REFUNDED
    return Payment.REFUNDED


def check(order: Order) -> None:
    """Raise `BooksBroken` if the order's amounts and states contradict each other."""
    for faults in (_amount_faults(order), _record_faults(order)):
        for broken, reason in faults:
            if broken:
                message = f"order {order.order_id}: {reason}"
                raise BooksBroken(message)


class Totals(TypedDict):
    """The books in numbers: orders per kind and state, sums in yen."""

    orders: int
    payments: dict[str, dict[str, int]]
    consents: dict[str, int]
    authorized: int
    captured: int
    released: int
    refunded: int
    refunding: int


_write: Final = msgspec.json.Encoder().encode
_read: Final = msgspec.json.Decoder(Order).decode


class Books:
    """All orders by id, written through to a file if there is one."""

    def __init__(self, shelf: Shelf | None = None) -> None:
        self.orders: dict[str, Order] = {}
        self._shelf = shelf
        self._serial = Serial(shelf)
        if shelf is not None:
            for order in map(_read, shelf.rows()):
                self.orders[order.order_id] = order

    def __len__(self) -> int:
        return len(self.orders)

    def __getitem__(self, order_id: str) -> Order:
        return self.orders[order_id]

    def __contains__(self, order_id: object) -> bool:
        return order_id in self.orders

    def __iter__(self) -> Iterator[Order]:
        return iter(self.orders.values())

    def serial(self) -> int:
        """Return a number never given before, also over restarts with one file."""
        return self._serial.next()

    def whole(self) -> AbstractContextManager[None]:
        """Keep what one exchange does whole, or not at all if the process dies."""
        return nullcontext() if self._shelf is None else self._shelf.whole()

    def find(self, order_id: str, now: datetime) -> Order | None:
        """Return the order as it stands at `now`, or None."""
        order = self.orders.get(order_id)
        if order is not None and order.let_expire(now):
            self.save(order)
        return order

    def save(self, order: Order) -> None:
        """Check the order's invariants, then keep it."""
        check(order)
        self.orders[order.order_id] = order
        if self._shelf is not None:
            self._shelf.keep(order.order_id, _write(order).decode())

    def totals(self, now: datetime) -> Totals:
        """Count orders per kind and state at `now`, and sum the amounts in yen."""
        totals = Totals(
            orders=len(self.orders),
            payments={kind.value: {} for kind in Kind},
            consents={},
            authorized=0,
            captured=0,
            released=0,
            refunded=0,
            refunding=0,
        )
        for order in self.orders.values():
            if order.let_expire(now):
                self.save(order)
            _count(totals["payments"][order.kind.value], order.payment.value)
            if order.consent is not None:
                _count(totals["consents"], order.consent.value)
            totals["authorized"] += order.authorized
            totals["captured"] += order.captured
            totals["released"] += order.released
            totals["refunded"] += order.refunded
            totals["refunding"] += order.refunding
        return totals

    def close(self) -> None:
        """Let go of the file."""
        if self._shelf is not None:
            self._shelf.close()
            self._shelf = None


def _count(counts: dict[str, int], word: str) -> None:
    counts[word] = counts.get(word, 0) + 1
