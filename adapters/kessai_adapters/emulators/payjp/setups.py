"""Setup flows: a customer's payment method is saved, to be charged later."""

from typing import Final

from kessai_adapters.emulators.payjp.books import Books, Kept
from kessai_adapters.emulators.payjp.cards import Cards
from kessai_adapters.emulators.payjp.events import Events
from kessai_adapters.emulators.payjp.fields import Fields
from kessai_adapters.emulators.payjp.problems import refuse_status, refuse_value

CANCEL_REASONS: Final = frozenset({"abandoned", "duplicate", "requested_by_customer"})
OPEN: Final = frozenset({"requires_payment_method"})


class Setups:
    """Setup flows: made by the merchant, finished by the consumer."""

    def __init__(self, books: Books, events: Events, cards: Cards) -> None:
        self._books = books
        self._events = events
        self._cards = cards

    def create(self, asked: Fields) -> Kept:
        """`POST /setup_flows`."""
        customer = asked.text("customer_id")
        if customer is not None:
            self._books.find("customer", customer)
        types = asked.get("payment_method_types") or ["card"]
        if types != ["card"]:
            refuse_value("payment_method_types", "must be card alone")
        usage = asked.among("usage", {"on_session", "off_session"})
        setup = self._books.make(
            "setup_flow",
            client_secret="",
            customer_id=customer,
            description=asked.text("description"),
            metadata=asked.metadata(),
            payment_method_id=None,
            payment_method_options=asked.mapping("payment_method_options"),
            payment_method_types=types,
            status="requires_payment_method",
            next_action=None,
            return_url=None,
            redirect_options={
                "include_client_secret": True,
                **asked.mapping("redirect_options"),
            },
            last_setup_error=None,
            cancellation_reason=None,
        )
        asked.done()
        setup.hidden["usage"] = usage or "off_session"
        setup.shown["client_secret"] = f"{setup.id}_secret"
        self._events.record("setup_flow.created", self._books.save(setup))
        return setup

    def cancel(self, id_: str, asked: Fields) -> Kept:
        """`POST /setup_flows/{id}/cancel`."""
        reason = asked.among("cancellation_reason", CANCEL_REASONS)
        asked.done()
        setup = self._open(id_)
        self._cancel(setup, reason)
        return setup

    def give_up(self, setup: Kept) -> None:
        """The consumer has left: the flow is canceled."""
        self._cancel(setup, "abandoned")

    def succeed(self, id_: str) -> None:
        """The consumer enters a card; it is the customer's now."""
        setup = self._open(id_)
        method = self._cards.make_method("card", setup["customer_id"], {})
        setup.shown.update(
            status="succeeded", payment_method_id=method.id, last_setup_error=None
        )
        self._events.record("setup_flow.succeeded", self._books.save(setup))

    def fails(self, id_: str, reason: str) -> None:
        """The consumer's card is refused; the flow waits for another."""
        setup = self._open(id_)
        setup.shown["last_setup_error"] = {"code": reason, "message": reason}
        self._events.record("setup_flow.setup_failed", self._books.save(setup))

    def _cancel(self, setup: Kept, reason: str | None) -> None:
        setup.shown.update(status="canceled", cancellation_reason=reason)
        self._events.record("setup_flow.canceled", self._books.save(setup))

    def find(self, id_: str) -> Kept:
        """The flow as it is by now: the consumer may have waited too long."""
        setup = self._books.find("setup_flow", id_)
        if setup["status"] in OPEN and self._books.is_given_up(setup):
            self._cancel(setup, "abandoned")
        return setup

    def _open(self, id_: str) -> Kept:
        setup = self.find(id_)
        if setup["status"] not in OPEN:
            refuse_status(setup["status"])
        return setup
