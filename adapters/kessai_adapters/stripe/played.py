"""Stripe's emulator as the simulator drives it: plain values both ways, nothing raised.

The simulator draws payment methods as any text: each stands for a card here, and some
cards ask their cardholder; one asks for every payment, so that a charge of it is declined
while its cardholder is away. An order is what an intent's metadata say.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import unquote_plus

import attrs

from kessai.gateway import Reply, Request
from kessai.simulator.gateway import BookedOrder, Notice
from kessai_adapters.emulators.stripe import (
    DEFAULT_SECRET,
    ApiObject,
    Payment,
    StripeEmulator,
    signed_headers,
)
from kessai_adapters.played import BookedAct, Played, done
from kessai_adapters.stripe import Stripe
from kessai_adapters.stripe.amounts import from_stripe, to_stripe
from kessai_adapters.stripe.played_setups import SavedCards, opened, order_of
from kessai_adapters.stripe.requests import INTENT, PAID_IN

BAD_REPLIES: Final = (
    "http_500",
    "http_500_undone",
    "http_502",
    "http_503",
    "http_429",
    "http_409",
    "garbage",
    "truncate",
)
_CARDS: Final = (
    *("pm_card_visa", "pm_card_amex"),
    *("pm_card_threeDSecure2Required", "pm_card_authenticationRequired"),
)
_METHOD: Final = re.compile(rb"(?<=&payment_method=)[^&]*")
_CUSTOMER: Final = re.compile(rb"(?<=&customer=)[^&]*")
_OPEN: Final = frozenset(
    {"requires_payment_method", "requires_confirmation", "requires_action"}
)
_RESULTS: Final = {"succeeded": "success", "pending": "pending"}
_PATIENCE: Final = timedelta(hours=20)
"""How long a cardholder may take; then they have gone away."""


@attrs.frozen(eq=False)
class SignedNow(Mapping[str, str]):
    """The headers of a webhook: Stripe signs it anew each time that it is delivered."""

    now: Callable[[], int]
    body: bytes

    def _headers(self) -> dict[str, str]:
        return signed_headers((DEFAULT_SECRET,), self.now(), self.body)

    def __getitem__(self, name: str) -> str:
        return self._headers()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers())

    def __len__(self) -> int:
        return len(self._headers())


class PlayedStripe(Played[StripeEmulator]):
    """An emulator and its adapter in the hands of the simulator."""

    opens_once = False

    def __init__(self, emulator: StripeEmulator, adapter: Stripe) -> None:
        super().__init__(emulator)
        self.adapter = adapter
        self._saved = SavedCards(emulator)
        emulator.multicapture = True
        emulator.send_events_to("https://shop.example/stripe")

    # ── the network ─────────────────────────────────────────────────────────────────

    def carry_out(self, request: Request, mishap: str | None) -> Reply:
        """Answer a request that arrived; a customer whom it names is there."""
        for named in _CUSTOMER.finditer(request.body):
            self._emulator.know_customer(unquote_plus(named[0].decode()))
        return super().carry_out(self._with_a_card(request), mishap)

    def _with_a_card(self, request: Request) -> Request:
        """`request`, with a test card in place of the text that was drawn for one."""

        def card(found: re.Match[bytes]) -> bytes:
            drawn = unquote_plus(found[0].decode())
            if drawn in self._emulator.books.methods:
                return found[0]
            return _CARDS[sum(map(ord, drawn)) % len(_CARDS)].encode()

        body = _METHOD.sub(card, request.body)
        return attrs.evolve(request, body=body)

    def bad_replies(self) -> Sequence[str]:
        """What can malform a reply."""
        return BAD_REPLIES

    def take_notifications(self) -> Sequence[Notice]:
        """The webhooks that were not taken yet."""
        books = self._emulator.books
        intents = {each.id: each.intent for each in books.payments.values()}
        intents |= books.setups
        for setup in books.setups.values():  # what befalls its card is about it, too
            if setup["payment_method"] is not None:
                intents.setdefault(setup["payment_method"], setup)
        return [
            Notice(
                order_of(intents[each.order]),
                SignedNow(books.now, each.body),
                each.body,
            )
            for each in self._emulator.take_notifications()
            if each.order in intents
        ]

    # ── the books ───────────────────────────────────────────────────────────────────

    def _payments(self, order: str) -> list[Payment]:
        payments = self._emulator.payments()
        return [payment for payment in payments if order_of(payment.intent) == order]

    def _payment(self, order: str) -> Payment | None:
        """The payment of an order that counts: one that was not declined, if any."""
        found = self._payments(order)
        paid = [each for each in found if not _has_failed(each)]
        return next(iter(paid or found), None)

    def exchanges(self, order: str) -> Sequence[BookedAct]:
        """All exchanges of an order, oldest first."""
        if (setup := self._saved.find(order)) is not None:
            return self._saved.exchanges(setup)
        return [act for payment in self._payments(order) for act in _acts(payment)]

    def booked(self, order: str) -> BookedOrder | None:
        """How an order stands now; an authorization may have lapsed by the clock."""
        payment, setup = self._payment(order), self._saved.find(order)
        if setup is not None:
            booked = self._saved.booked(setup)
        elif payment is not None:
            booked = _booked(payment)
        else:
            return None
        ((track, state),) = booked.states.items()
        if state == "requested" and not self.awaits_consumer(order):
            return attrs.evolve(booked, states={track: "failed"})  # nobody answers
        return booked

    def orders(self) -> Sequence[str]:
        """The ids of all orders."""
        paid = (order_of(each.intent) for each in self._emulator.payments())
        return tuple(dict.fromkeys((*self._saved.orders(), *paid)))

    def references(self, order: str) -> Mapping[str, str]:
        """Stripe's id of the intent, and of what it has saved."""
        if (setup := self._saved.find(order)) is not None:
            return self._saved.references(setup)
        payment = self._payment(order)
        return {} if payment is None else {INTENT: payment.id}

    # ── people ──────────────────────────────────────────────────────────────────────

    def consumer(self, order: str, act: str) -> bool:
        """Let the cardholder do `act`."""
        payment, setup = self._payment(order), self._saved.find(order)
        consumer = self._emulator.consumer
        acts = {
            "approve": consumer.approve,
            "decline": consumer.decline,
            "refuse_card": consumer.refuse_card,
        }
        if act not in acts or not self.awaits_consumer(order):
            return False
        if setup is not None:
            return self._saved.consumer(setup, act)
        if payment is None:
            return False
        if payment.intent["status"] != "requires_action":
            card = "pm_card_visa" if act == "approve" else "pm_card_visa_chargeDeclined"
            return done(lambda: consumer.pay(payment.id, card))
        return done(lambda: acts[act](payment.id))

    def awaits_consumer(self, order: str) -> bool:
        """Whether a cardholder has still to answer, and has not gone away."""
        payment, setup = self._payment(order), self._saved.find(order)
        if setup is not None:
            intent, result = setup, opened(setup)
        elif payment is not None:
            intent, result = payment.intent, _opened(payment)
        else:
            return False
        if result != "pending":
            return False
        waited = self._emulator.books.now() - intent["created"]
        return bool(waited < _PATIENCE.total_seconds())

    def portal(self, order: str, act: str, amount: int | None) -> bool:
        """Do `act` in the Dashboard."""
        if (setup := self._saved.find(order)) is not None:
            return self._saved.portal(setup, act)
        payment, portal = self._payment(order), self._emulator.portal
        acts: dict[str, Callable[..., Any]] = {
            "capture": portal.capture,
            "cancel": portal.cancel,
            "refund": portal.refund,
            "expire": portal.expire,
        }
        if payment is None or act not in acts:
            return False
        if payment.intent["status"] in _OPEN:  # its cardholder has gone away
            is_over = act == "expire" and not _has_failed(payment)
            return is_over and done(lambda: portal.cancel(payment.id))
        currency = payment.intent["currency"].upper()
        given = () if amount is None else (to_stripe(amount, currency),)
        return done(lambda: acts[act](payment.id, *given))

    def finish(self, order: str, *, good: bool) -> bool:
        """Let a refund that is pending succeed or fail."""
        payment = self._payment(order)
        end = self._emulator.complete if good else self._emulator.fail
        return payment is not None and done(lambda: end(payment.id))

    def reversible(self) -> Sequence[str]:
        """The orders of which a refund can fail after all."""
        return [
            order
            for order in self.orders()
            if (found := self._payment(order)) is not None
            and any(each["status"] == "succeeded" for each in _own_refunds(found))
        ]

    def take_back(self, order: str) -> bool:
        """Let the last refund of an order fail after all."""
        payment = self._payment(order)
        if payment is None:
            return False
        return done(lambda: self._emulator.fail_later(payment.id))


def _has_failed(payment: Payment) -> bool:
    """Whether nobody tries another card."""
    intent = payment.intent
    is_paid_in = intent["metadata"].get(PAID_IN)
    has_failed = intent["last_payment_error"] is not None and not is_paid_in
    return bool(intent["status"] == "requires_payment_method" and has_failed)


def _is_authorized(payment: Payment) -> bool:
    charge = payment.charge
    return charge is not None and charge["status"] == "succeeded"


def _opened(payment: Payment) -> str:
    if payment.intent["status"] in _OPEN and not _has_failed(payment):
        return "pending"
    return "success" if _is_authorized(payment) else "failure"


def _acts(payment: Payment) -> list[BookedAct]:
    acts = [BookedAct(lambda: _opened(payment))]
    intent = payment.intent
    acts += [BookedAct(lambda: "success")] * payment.captures
    if intent["status"] == "canceled" and intent["cancellation_reason"] != "automatic":
        acts.append(BookedAct(lambda: "success"))
    return acts + _refunds(payment)


def _own_refunds(payment: Payment) -> list[ApiObject]:
    return [each for each in payment.refunds if each["id"] not in payment.left_over]


def _refunds(payment: Payment) -> list[BookedAct]:
    return [_refund(each) for each in _own_refunds(payment)]


def _refund(refund: ApiObject) -> BookedAct:
    return BookedAct(lambda: _result(refund))


def _result(refund: ApiObject) -> str:
    """What had taken its money has succeeded, though it may have failed after that."""
    has_moved = refund["failure_balance_transaction"] is not None
    return "success" if has_moved else _RESULTS.get(refund["status"], "failure")


def _sum(payment: Payment, status: str) -> int:
    own = _own_refunds(payment)
    return sum(each["amount"] for each in own if each["status"] == status)


def _booked(payment: Payment) -> BookedOrder:
    intent = payment.intent
    authorized = intent["amount"] if _is_authorized(payment) else 0
    captured = intent["amount_received"]
    refunded = _sum(payment, "succeeded")
    own = _own_refunds(payment)
    undone = sum(
        each["amount"]
        for each in own
        if each["failure_balance_transaction"] is not None
    )
    stated = {
        "authorized": authorized,
        "captured": captured,
        "released": authorized - captured if intent["status"] in _ENDED else 0,
        "refunding": _sum(payment, "pending"),
        "refunded": refunded,
        **_disputed(payment),
    }
    state, deadlines = _state(payment, stated), _deadlines(payment)
    currency = intent["currency"].upper()
    amounts = {name: _counted(value, currency) for name, value in stated.items()}
    taken_back = {"refunded": _counted(undone, currency)}
    return BookedOrder({"payment": state}, amounts, taken_back, deadlines)


def _counted(amount: int, currency: str) -> int:
    """An amount as the engine counts it."""
    counted = from_stripe(amount, currency)
    assert counted is not None  # noqa: S101 - the emulator takes no other
    return counted


def _disputed(payment: Payment) -> dict[str, int]:
    """What is disputed, and what was charged back."""
    found = {"disputed": 0, "charged_back": 0}
    for dispute in payment.disputes:
        if dispute["status"] != "won":
            is_lost = dispute["status"] == "lost"
            found["charged_back" if is_lost else "disputed"] += dispute["amount"]
    return found


_ENDED: Final = frozenset({"succeeded", "canceled"})


def _state(payment: Payment, amounts: Mapping[str, int]) -> str:
    status = payment.intent["status"]
    if status == "succeeded":
        return _returned(amounts)
    if not _is_authorized(payment):
        return "requested" if _opened(payment) == "pending" else "failed"
    if status == "canceled":
        is_late = payment.intent["cancellation_reason"] == "automatic"
        return "expired" if is_late else "cancelled"
    return "partially_captured" if payment.captures else "authorized"


def _returned(amounts: Mapping[str, int]) -> str:
    if amounts["disputed"]:
        return "disputed"
    gone = amounts["refunded"] + amounts["charged_back"]
    if not gone:
        return "captured"
    if gone < amounts["captured"]:
        return "partially_refunded"
    return "refunded" if amounts["refunded"] else "charged_back"


def _deadlines(payment: Payment) -> dict[str, datetime]:
    if payment.intent["status"] != "requires_capture" or payment.charge is None:
        return {}
    card = payment.charge["payment_method_details"]["card"]
    until = datetime.fromtimestamp(card["capture_before"], UTC)
    return {"rest" if payment.captures else "authorization": until}
