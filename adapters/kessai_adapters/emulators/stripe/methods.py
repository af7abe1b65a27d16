"""Customers, their payment methods, and the setup intents by which one is saved."""

from typing import Any, Final

from kessai_adapters.emulators.errors import OutOfPlay
from kessai_adapters.emulators.stripe.books import ApiObject, Books
from kessai_adapters.emulators.stripe.cards import CARDS, DECLINED, CardKind
from kessai_adapters.emulators.stripe.errors import (
    ApiError,
    invalid,
    missing,
    not_possible,
)
from kessai_adapters.emulators.stripe.events import Events, shown
from kessai_adapters.emulators.stripe.forms import Params, merged

_SET_UP: Final = "_is_set_up"
_ENDED: Final = frozenset({"succeeded", "canceled"})


class Methods:
    """What can be done to customers, payment methods and setup intents."""

    def __init__(self, books: Books, events: Events) -> None:
        self.base_url = ""
        self.refuses = False
        self.approves = False
        self.books = books
        self._events = events

    # ── customers ───────────────────────────────────────────────────────────────────

    def create_customer(self, given: Params) -> ApiObject:
        """Make a customer."""
        stated = {
            "description": given.text("description"),
            "email": given.text("email"),
            "metadata": given.metadata(),
            "name": given.text("name"),
        }
        given.finish()
        customer = self.keep_customer(self.books.new_id("cus"), **stated)
        self._events.record("customer.created", customer)
        return customer

    def keep_customer(self, id_: str, /, **stated: object) -> ApiObject:
        """Write a customer of that id down."""
        customer: ApiObject = {
            "id": id_,
            "object": "customer",
            "created": self.books.now(),
            "description": None,
            "email": None,
            "livemode": False,
            "metadata": {},
            "name": None,
            **stated,
        }
        self.books.keep_object("customers", id_, customer)
        return customer

    def update_customer(self, name: str, given: Params) -> ApiObject:
        """Change what is said of a customer."""
        customer = self.books.customer(name)
        metadata = given.metadata()
        changes = {each: given.text(each) for each in ("description", "email", "name")}
        given.finish()
        customer.update({key: value for key, value in changes.items() if value})
        customer["metadata"] = merged(customer["metadata"], metadata)
        self.books.keep_object("customers", name, customer)
        return customer

    # ── payment methods ─────────────────────────────────────────────────────────────

    def of_card(self, kind: str) -> ApiObject:
        """A new payment method of a test card."""
        card = CARDS[kind]
        method: ApiObject = {
            "id": self.books.new_id("pm"),
            "object": "payment_method",
            "card": {
                "brand": card.brand,
                "last4": card.last4,
                "exp_month": 12,
                "exp_year": 2040,
            },
            "created": self.books.now(),
            "customer": None,
            "livemode": False,
            "metadata": {},
            "type": "card",
            "_kind": kind,
        }
        self.books.keep_object("methods", method["id"], method)
        return method

    def chosen(self, name: str, customer: str | None) -> ApiObject:
        """The payment method that a payment is to be made with.

        Raises:
            ApiError: there is none, or it is not the customer's.

        """
        if name in CARDS:
            return self.of_card(name)
        method = self.books.method(name, "payment_method")
        if method["customer"] not in {None, customer}:
            message = "The payment method belongs to a customer; name that one"
            raise not_possible(message, param="payment_method")
        if method.get("_was_detached"):
            message = "A detached PaymentMethod may not be used again"
            raise not_possible(message, param="payment_method")
        return method

    def is_set_up(self, name: str) -> bool:
        """Whether its cardholder was authenticated for charges off session."""
        return bool(self.books.method(name).get(_SET_UP))

    def attach(self, name: str, given: Params) -> ApiObject:
        """Save a payment method for a customer."""
        customer = given.required("customer")
        given.finish()
        self.books.customer(customer, "customer")
        method = self.of_card(name) if name in CARDS else self.books.method(name)
        if method["customer"] is not None or method.get("_was_detached"):
            message = "The payment method is attached already, or was detached"
            raise not_possible(message, code="payment_method_unexpected_state")
        card = CARDS[method["_kind"]]
        if not card.can_be_saved:
            raise _refusal(_declined(card))
        return self.attached(method["id"], customer)

    def attached(
        self, name: str, customer: str, *, is_set_up: bool = False
    ) -> ApiObject:
        """The payment method, saved for a customer from now on."""
        method = self.books.method(name)
        method["customer"] = customer
        method[_SET_UP] = is_set_up or bool(method.get(_SET_UP))
        self.books.keep_object("methods", name, method)
        self._events.record("payment_method.attached", method)
        return method

    def detach(self, name: str, given: Params) -> ApiObject:
        """Forget a payment method: nothing can be charged to it any more."""
        given.finish()
        method = self.books.method(name)
        if method["customer"] is None:
            message = "The payment method is not attached to a customer"
            raise not_possible(message, code="payment_method_unexpected_state")
        before = {"customer": method["customer"]}
        method["customer"], method["_was_detached"] = None, True
        self.books.keep_object("methods", name, method)
        self._events.record("payment_method.detached", method, before)
        return method

    def saved_of(self, customer: str) -> list[ApiObject]:
        """The payment methods of a customer."""
        self.books.customer(customer)
        methods = self.books.methods.values()
        return [method for method in methods if method["customer"] == customer]

    # ── setup intents ───────────────────────────────────────────────────────────────

    def create_setup(self, given: Params) -> ApiObject:
        """Make a setup intent, and confirm it if that is asked for."""
        customer = given.text("customer")
        if customer is not None:
            self.books.customer(customer, "customer")
        name = self.books.new_id("seti")
        setup: ApiObject = {
            "id": name,
            "object": "setup_intent",
            "cancellation_reason": None,
            "client_secret": f"{name}_secret_{name[-10:]}",
            "created": self.books.now(),
            "customer": customer,
            "description": given.text("description"),
            "last_setup_error": None,
            "livemode": False,
            "metadata": given.metadata(),
            "next_action": None,
            "payment_method": None,
            "payment_method_types": given.texts("payment_method_types") or ["card"],
            "status": "requires_payment_method",
            "usage": given.choice("usage", {"off_session", "on_session"})
            or "off_session",
        }
        method, return_url = given.text("payment_method"), given.text("return_url")
        confirms = given.flag("confirm")
        given.finish()
        self._choose(setup, method)
        self._events.record("setup_intent.created", setup)
        self.books.keep_object("setups", name, setup)
        if confirms:
            self._attempt(setup, return_url)
        return setup

    def confirm_setup(self, name: str, given: Params) -> ApiObject:
        """Try to save the payment method."""
        setup = self.setup(name)
        method, return_url = given.text("payment_method"), given.text("return_url")
        given.finish()
        if setup["status"] not in {"requires_payment_method", "requires_confirmation"}:
            raise _unexpected(setup)
        self._choose(setup, method)
        self._attempt(setup, return_url)
        return setup

    def cancel_setup(self, name: str, given: Params) -> ApiObject:
        """Give a setup intent up."""
        setup = self.setup(name)
        reasons = {"abandoned", "duplicate", "requested_by_customer"}
        reason = given.choice("cancellation_reason", reasons)
        given.finish()
        if setup["status"] in _ENDED:
            raise _unexpected(setup)
        setup["status"], setup["cancellation_reason"] = "canceled", reason
        setup["next_action"] = None
        self._kept(setup, "setup_intent.canceled")
        return setup

    def setup(self, name: str) -> ApiObject:
        """A setup intent.

        Raises:
            ApiError: there is none.

        """
        found = self.books.setups.get(name)
        if found is None:
            what = "setup_intent"
            raise missing(what, name)
        return found

    def _choose(self, setup: ApiObject, name: str | None) -> None:
        if name is not None:
            method = self.chosen(name, setup["customer"])
            setup["payment_method"] = method["id"]
            setup["status"] = "requires_confirmation"

    def _attempt(self, setup: ApiObject, return_url: str | None) -> None:
        from kessai_adapters.emulators.stripe.intents import next_action

        if setup["payment_method"] is None:
            message = "You cannot confirm a SetupIntent without a payment method"
            raise invalid(message, code="parameter_missing", param="payment_method")
        card = CARDS[self.books.method(setup["payment_method"])["_kind"]]
        if self.refuses or not card.can_be_saved:
            self._failed(setup, _declined(card if card.code else DECLINED))
            raise _refusal(setup["last_setup_error"], setup_intent=shown(setup))
        if card.asks and not self.approves:
            setup["status"] = "requires_action"
            setup["_return_url"] = return_url
            setup["next_action"] = next_action(self.base_url, setup, return_url)
            self._kept(setup, "setup_intent.requires_action")
        else:
            self._succeeded(setup)

    def finish_setup(self, name: str, *, passes: bool) -> ApiObject:
        """The cardholder has answered 3-D Secure.

        Raises:
            OutOfPlay: nobody was asked.

        """
        setup = self.books.setups.get(name)
        if setup is None or setup["status"] != "requires_action":
            message = f"nobody is asked about {name}"
            raise OutOfPlay(message)
        setup["next_action"] = None
        if passes:
            self._succeeded(setup)
        else:
            code = "setup_intent_authentication_failure"
            self._failed(setup, _card_error(code, ""))
        return setup

    def _succeeded(self, setup: ApiObject) -> None:
        setup["status"], setup["last_setup_error"] = "succeeded", None
        if setup["customer"]:
            method, customer = setup["payment_method"], setup["customer"]
            self.attached(method, customer, is_set_up=True)
        self._kept(setup, "setup_intent.succeeded")

    def _failed(self, setup: ApiObject, error: ApiObject) -> None:
        setup["last_setup_error"] = error
        setup["status"], setup["payment_method"] = "requires_payment_method", None
        self._kept(setup, "setup_intent.setup_failed")

    def _kept(self, setup: ApiObject, kind: str) -> None:
        self.books.keep_object("setups", setup["id"], setup)
        self._events.record(kind, setup)


def _declined(card: CardKind) -> ApiObject:
    return _card_error(card.code, card.decline_code)


def _refusal(error: ApiObject, **more: ApiObject) -> ApiError:
    members: dict[str, Any] = {**error, **more}
    return ApiError(402, members.pop("type"), members.pop("message"), **members)


def _card_error(code: str, decline_code: str) -> ApiObject:
    error = {"type": "card_error", "code": code, "message": "The card was declined."}
    return {**error, "decline_code": decline_code} if decline_code else error


def _unexpected(setup: ApiObject) -> ApiError:
    return not_possible(
        f"This SetupIntent's status does not allow this: {setup['status']}",
        code="setup_intent_unexpected_state",
    )
