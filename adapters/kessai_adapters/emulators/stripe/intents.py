"""Payment intents: made, confirmed, captured, cancelled, and lapsed by the clock.

    requires_payment_method → requires_confirmation → requires_action → requires_capture
    → succeeded; canceled from all but succeeded

A failed attempt leads back to requires_payment_method. What a partial capture or a
cancel leaves over appears as a refund.
"""

from typing import Final

from kessai_adapters.emulators.errors import OutOfPlay
from kessai_adapters.emulators.stripe.books import ApiObject, Books, Payment
from kessai_adapters.emulators.stripe.cards import CARDS, DECLINED, CardKind, window
from kessai_adapters.emulators.stripe.currencies import (
    check_amount,
    check_currency,
    check_decimals,
)
from kessai_adapters.emulators.stripe.disputes import Disputes
from kessai_adapters.emulators.stripe.errors import (
    ApiError,
    invalid,
    not_possible,
)
from kessai_adapters.emulators.stripe.events import Events, shown
from kessai_adapters.emulators.stripe.forms import Params, merged
from kessai_adapters.emulators.stripe.methods import Methods
from kessai_adapters.emulators.stripe.refunds import add_refund

MOST_CAPTURES: Final = 50
_REASONS: Final = frozenset(
    {"duplicate", "fraudulent", "requested_by_customer", "abandoned"}
)
_ENDED: Final = frozenset({"succeeded", "canceled", "processing"})
_CONFIRMABLE: Final = frozenset({"requires_payment_method", "requires_confirmation"})
_MULTICAPTURE: Final = frozenset({"amex", "visa", "discover", "mastercard"})
_METHODS: Final = frozenset({"automatic", "automatic_async", "manual"})


class Intents:
    """What can be done to payment intents.

    `multicapture`: whether the account has it. While it `refuses`, no card pays;
    if it `approves`, every cardholder passes the check at once.
    """

    def __init__(
        self, books: Books, events: Events, methods: Methods, disputes: Disputes
    ) -> None:
        self.multicapture = False
        self.refuses = False
        self.approves = False
        self.base_url = ""
        self._books = books
        self._events = events
        self._methods = methods
        self._disputes = disputes

    # ── what the merchant asks for ──────────────────────────────────────────────────

    def create(self, given: Params) -> ApiObject:
        """Make an intent, and confirm it if that is asked for."""
        amount, currency = given.required_integer("amount"), given.required("currency")
        check_currency(currency)
        check_amount(amount, currency)
        types = given.texts("payment_method_types") or ["card"]
        capture = given.choice("capture_method", _METHODS) or "automatic_async"
        options = given.inner("payment_method_options")
        card = options.inner("card")
        multicapture = card.choice("request_multicapture", {"if_available", "never"})
        customer = given.text("customer")
        if customer is not None:
            self._books.customer(customer, "customer")
        name = self._books.new_id("pi")
        intent: ApiObject = {
            "id": name,
            "object": "payment_intent",
            "amount": amount,
            "amount_capturable": 0,
            "amount_received": 0,
            "canceled_at": None,
            "cancellation_reason": None,
            "capture_method": capture,
            "client_secret": f"{name}_secret_{name[-10:]}",
            "confirmation_method": "automatic",
            "created": self._books.now(),
            "currency": currency,
            "customer": customer,
            "description": given.text("description"),
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": False,
            "metadata": given.metadata(),
            "next_action": None,
            "payment_method": None,
            "payment_method_types": types,
            "processing": None,
            "setup_future_usage": given.choice(
                "setup_future_usage", {"off_session", "on_session"}
            ),
            "status": "requires_payment_method",
        }
        payment = Payment(intent)
        payment.is_multicapture = multicapture == "if_available" and self.multicapture
        confirms = given.flag("confirm") or False
        if not confirms:
            for name in ("off_session", "return_url"):
                if given.text(name) is not None:
                    message = f"{name} is only for confirm=true"
                    raise invalid(message, param=name)
        self._choose(payment, given.text("payment_method"))
        return self._begin(payment, given, card, confirms=confirms)

    def _begin(
        self, payment: Payment, given: Params, card: Params, *, confirms: bool
    ) -> ApiObject:
        off_session, return_url = given.flag("off_session"), given.text("return_url")
        card.finish()
        given.finish()
        self._events.record("payment_intent.created", payment.intent)
        self._books.keep(payment)
        if confirms:
            payment.off_session = off_session or False
            self._attempt(payment, return_url)
        return payment.intent

    def _choose(self, payment: Payment, name: str | None) -> None:
        if name is None:
            return
        method = self._methods.chosen(name, payment.intent["customer"])
        payment.intent["payment_method"] = method["id"]
        payment.intent["status"] = "requires_confirmation"

    def confirm(self, name: str, given: Params) -> ApiObject:
        """Try to be paid."""
        payment = self._books.payment(name)
        method, return_url = given.text("payment_method"), given.text("return_url")
        off_session = given.flag("off_session") or False
        given.finish()
        self._need(payment, _CONFIRMABLE)
        self._choose(payment, method)
        payment.off_session = off_session
        self._attempt(payment, return_url)
        return payment.intent

    def update(self, name: str, given: Params) -> ApiObject:
        """Change what is said of an intent; the amount stays."""
        payment = self._books.payment(name)
        metadata, description = given.metadata(), given.text("description")
        given.finish()
        intent = payment.intent
        intent["metadata"] = merged(intent["metadata"], metadata)
        intent["description"] = description or intent["description"]
        self._books.keep(payment)
        return intent

    def capture(self, name: str, given: Params) -> ApiObject:
        """Capture what is authorized, or a part of it."""
        payment = self.found(name)
        intent = payment.intent
        amount = given.integer("amount_to_capture")
        is_final = given.flag("final_capture")
        metadata = given.metadata()
        given.finish()
        self._need(payment, {"requires_capture"})
        amount = intent["amount_capturable"] if amount is None else amount
        if not 0 < amount <= intent["amount_capturable"]:
            message = "The amount to capture is more than what can be captured"
            raise not_possible(
                message, code="amount_too_large", param="amount_to_capture"
            )
        check_decimals(amount, intent["currency"])
        if is_final is False and not self._may_capture_again(payment):
            message = "final_capture=false is for intents with multicapture"
            raise not_possible(message, param="final_capture")
        intent["metadata"] = merged(intent["metadata"], metadata)
        self.captured(payment, amount, is_final=is_final is not False)
        return intent

    def _may_capture_again(self, payment: Payment) -> bool:
        return payment.is_multicapture and payment.captures < MOST_CAPTURES - 1

    def cancel(self, name: str, given: Params) -> ApiObject:
        """Give an intent up, with all that is authorized."""
        payment = self.found(name)
        reason = given.choice("cancellation_reason", _REASONS)
        given.finish()
        if payment.intent["status"] in _ENDED:
            raise self._unexpected(payment)
        self.cancelled(payment, reason)
        return payment.intent

    # ── what becomes of them ────────────────────────────────────────────────────────

    def found(self, name: str) -> Payment:
        """A payment as it stands by now.

        Raises:
            ApiError: there is none.

        """
        payment = self._books.payment(name)
        self.let_lapse(payment)
        return payment

    def let_lapse(self, payment: Payment) -> None:
        """Cancel an intent that was not captured in time."""
        before = capture_before(payment)
        is_waiting = payment.intent["status"] == "requires_capture"
        if is_waiting and before is not None and self._books.now() >= before:
            self.lapsed(payment)

    def lapsed(self, payment: Payment) -> None:
        """Release what was authorized, as nobody has captured it."""
        if payment.captures:
            self._captured_to_its_end(payment)
            self._books.keep(payment)
            return
        self.cancelled(payment, "automatic")
        if payment.charge is not None:
            self._events.record("charge.expired", payment.charge)
            self._books.keep(payment)

    def captured(self, payment: Payment, amount: int, *, is_final: bool) -> None:
        """Capture `amount`; if it is final, the rest is released."""
        intent, charge = payment.intent, _charge(payment)
        intent["amount_received"] += amount
        intent["amount_capturable"] -= amount
        charge["amount_captured"] += amount
        charge["captured"] = True
        payment.captures += 1
        self._events.record("charge.captured", charge)
        if is_final or not intent["amount_capturable"]:
            self._captured_to_its_end(payment)
        self._books.keep(payment)

    def _captured_to_its_end(self, payment: Payment) -> None:
        payment.intent["status"] = "succeeded"
        self._release(payment)
        self._events.record("payment_intent.succeeded", payment.intent)
        self._let_dispute(payment)

    def cancelled(self, payment: Payment, reason: str | None) -> None:
        """Give an intent up."""
        intent = payment.intent
        intent["status"] = "canceled"
        intent["canceled_at"] = self._books.now()
        intent["cancellation_reason"] = reason
        intent["next_action"] = None
        self._release(payment)
        self._events.record("payment_intent.canceled", intent)
        self._books.keep(payment)

    def _release(self, payment: Payment) -> None:
        """What is left over appears as a refund."""
        rest = payment.intent["amount_capturable"]
        payment.intent["amount_capturable"] = 0
        if not rest:
            return
        refund = add_refund(payment, self._books, rest, "succeeded")
        payment.left_over.append(refund["id"])

    def finish_action(
        self, name: str, *, passes: bool, card_pays: bool = True
    ) -> Payment:
        """The cardholder has answered 3-D Secure.

        Raises:
            OutOfPlay: nobody was asked.

        """
        payment = self._books.payments.get(name)
        if payment is None or payment.intent["status"] != "requires_action":
            message = f"nobody is asked about {name}"
            raise OutOfPlay(message)
        payment.intent["next_action"] = None
        if not passes:
            code = "payment_intent_authentication_failure"
            self._failed(payment, code, "", "The cardholder was not authenticated")
        elif not card_pays:
            self._failed(payment, "card_declined", "generic_decline", _DECLINED)
        else:
            self._paid(payment)
        return payment

    # ── an attempt ──────────────────────────────────────────────────────────────────

    def _attempt(self, payment: Payment, return_url: str | None) -> None:
        intent = payment.intent
        if intent["payment_method"] is None:
            message = "You cannot confirm a PaymentIntent without a payment method"
            raise not_possible(message, code="parameter_missing")
        card = self._card(payment)
        if self.refuses or card.code:
            declined = card if card.code else DECLINED
            code, why = declined.code, declined.decline_code
            raise self._declined(payment, code, why, _DECLINED)
        is_set_up = self._methods.is_set_up(intent["payment_method"])
        is_asked = card.asks and (card.asks_always or not is_set_up)
        if is_asked and payment.off_session:
            code = "authentication_required"
            raise self._declined(payment, code, code, "Authentication is required")
        if card.asks and not payment.off_session and not self.approves:
            self._ask(payment, return_url)
        else:
            self._paid(payment)

    def _card(self, payment: Payment) -> CardKind:
        method = self._books.method(payment.intent["payment_method"])
        return CARDS[method["_kind"]]

    def _ask(self, payment: Payment, return_url: str | None) -> None:
        intent = payment.intent
        intent["status"] = "requires_action"
        intent["_return_url"] = return_url
        intent["next_action"] = next_action(self.base_url, intent, return_url)
        self._events.record("payment_intent.requires_action", intent)
        self._books.keep(payment)

    def _paid(self, payment: Payment) -> None:
        intent = payment.intent
        card = self._card(payment)
        charge = payment.charge = self._new_charge(payment, "succeeded")
        intent["latest_charge"] = charge["id"]
        intent["last_payment_error"] = None
        if intent["setup_future_usage"] and intent["customer"]:
            self._methods.attached(intent["payment_method"], intent["customer"])
        if intent["capture_method"] == "manual":
            ends = window(card.brand, off_session=payment.off_session)
            until = self._books.now() + int(ends.total_seconds())
            charge["payment_method_details"]["card"]["capture_before"] = until
            intent["status"] = "requires_capture"
            intent["amount_capturable"] = intent["amount"]
            kind = "payment_intent.amount_capturable_updated"
        else:
            intent["status"] = "succeeded"
            intent["amount_received"] = intent["amount"]
            charge["amount_captured"], charge["captured"] = intent["amount"], True
            kind = "payment_intent.succeeded"
        self._events.record("charge.succeeded", charge)
        self._events.record(kind, intent)
        self._books.keep(payment)
        self._let_dispute(payment)

    def _let_dispute(self, payment: Payment) -> None:
        has_succeeded = payment.intent["status"] == "succeeded"
        if has_succeeded and self._card(payment).is_disputed:
            self._disputes.opened(payment)

    def _new_charge(self, payment: Payment, status: str) -> ApiObject:
        intent = payment.intent
        method = self._books.method(intent["payment_method"])
        has_multicapture = (
            payment.is_multicapture and method["card"]["brand"] in _MULTICAPTURE
        )
        payment.is_multicapture = has_multicapture
        available = "available" if has_multicapture else "unavailable"
        return {
            "id": self._books.new_id("ch"),
            "object": "charge",
            "amount": intent["amount"],
            "amount_captured": 0,
            "amount_refunded": 0,
            "captured": False,
            "created": self._books.now(),
            "currency": intent["currency"],
            "customer": intent["customer"],
            "disputed": False,
            "failure_code": None,
            "livemode": False,
            "metadata": dict(intent["metadata"]),
            "paid": status == "succeeded",
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "payment_method_details": {
                "type": "card",
                "card": {
                    "brand": method["card"]["brand"],
                    "last4": method["card"]["last4"],
                    "capture_before": None,
                    "multicapture": {"status": available},
                },
            },
            "refunded": False,
            "status": status,
        }

    def _declined(
        self, payment: Payment, code: str, decline_code: str, message: str
    ) -> ApiError:
        self._failed(payment, code, decline_code, message)
        error = payment.intent["last_payment_error"]
        members = {name: value for name, value in error.items() if name != "type"}
        members.pop("message")
        intent = shown(payment.intent)
        return ApiError(402, "card_error", message, **members, payment_intent=intent)

    def _failed(
        self, payment: Payment, code: str, decline_code: str, message: str
    ) -> None:
        """The attempt has failed; another one may be made."""
        intent = payment.intent
        charge = self._new_charge(payment, "failed")
        charge["failure_code"] = code
        payment.charge = charge
        intent["latest_charge"] = charge["id"]
        intent["status"] = "requires_payment_method"
        intent["next_action"] = None
        error = {
            "type": "card_error",
            "code": code,
            "charge": charge["id"],
            "message": message,
            "payment_method": shown(self._books.method(intent["payment_method"])),
        }
        if decline_code:
            error["decline_code"] = decline_code
        intent["last_payment_error"] = error
        intent["payment_method"] = None
        self._events.record("charge.failed", charge)
        self._events.record("payment_intent.payment_failed", intent)
        self._books.keep(payment)

    def _need(self, payment: Payment, statuses: frozenset[str] | set[str]) -> None:
        if payment.intent["status"] not in statuses:
            raise self._unexpected(payment)

    def _unexpected(self, payment: Payment) -> ApiError:
        status = payment.intent["status"]
        message = f"This PaymentIntent's status does not allow this: {status}"
        return ApiError(
            400,
            "invalid_request_error",
            message,
            code="payment_intent_unexpected_state",
            payment_intent=shown(payment.intent),
        )


_DECLINED: Final = "Your card was declined."


def _charge(payment: Payment) -> ApiObject:
    assert payment.charge is not None  # noqa: S101 - the status says that there is one
    return payment.charge


def capture_before(payment: Payment) -> int | None:
    """Until when an authorization can be captured, in seconds since 1970."""
    if payment.charge is None:
        return None
    until: int | None = payment.charge["payment_method_details"]["card"][
        "capture_before"
    ]
    return until


def next_action(base_url: str, of: ApiObject, return_url: str | None) -> ApiObject:
    """How the cardholder goes on: to a page, or in the browser by Stripe's script."""
    if return_url is None:
        return {"type": "use_stripe_sdk", "use_stripe_sdk": {}}
    page = {"return_url": return_url, "url": f"{base_url}/redirect/{of['id']}"}
    return {"type": "redirect_to_url", "redirect_to_url": page}
