"""A saved card as the simulator finds it in the books of Stripe's emulator.

Its setup intent says how its consent began; whether its payment method is a customer's
still, whether that lasts.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from kessai.simulator.gateway import BookedOrder
from kessai_adapters.emulators.stripe import ApiObject, StripeEmulator
from kessai_adapters.played import BookedAct, done
from kessai_adapters.stripe.requests import (
    CUSTOMER,
    METHOD,
    PAID_IN,
    SETUP,
    TRANSACTION,
)

_ENDS: Final = {"succeeded": "success", "canceled": "failure"}


class SavedCards:
    """The setup intents of an emulator, each as an order."""

    def __init__(self, emulator: StripeEmulator) -> None:
        self._emulator = emulator
        self._setups = emulator.books.setups

    def orders(self) -> Iterator[str]:
        """The ids of all orders."""
        return (order_of(setup) for setup in tuple(self._setups.values()))

    def find(self, order: str) -> ApiObject | None:
        """The setup intent of an order that counts: one that did not fail, if any."""
        found = [each for each in self._setups.values() if order_of(each) == order]
        stands = [each for each in found if opened(each) != "failure"]
        return next(iter(stands or found), None)

    def exchanges(self, setup: ApiObject) -> list[BookedAct]:
        """What was done: it was set up, and perhaps detached."""
        acts = [BookedAct(lambda: opened(setup))]
        ended = self._consent(setup) == "terminated"
        return [*acts, BookedAct(lambda: "success")] if ended else acts

    def booked(self, setup: ApiObject) -> BookedOrder:
        """How its consent stands."""
        return BookedOrder({"consent": self._consent(setup)}, {})

    def _consent(self, setup: ApiObject) -> str:
        if opened(setup) == "success":
            method = self._emulator.books.method(setup["payment_method"])
            return "terminated" if method["customer"] is None else "consented"
        return "failed" if opened(setup) == "failure" else "requested"

    def references(self, setup: ApiObject) -> Mapping[str, str]:
        """Stripe's ids of it."""
        found = {SETUP: setup["id"]}
        if opened(setup) == "success":
            found |= {METHOD: setup["payment_method"], CUSTOMER: setup["customer"]}
        return found

    def consumer(self, setup: ApiObject, act: str) -> bool:
        """Let the cardholder do `act`."""
        consumer, name = self._emulator.consumer, setup["id"]
        if setup["status"] != "requires_action":
            card = "pm_card_visa" if act == "approve" else "pm_card_visa_chargeDeclined"
            return done(lambda: consumer.pay(name, card))
        answer = consumer.approve if act == "approve" else consumer.decline
        return done(lambda: answer(name))

    def portal(self, setup: ApiObject, act: str) -> bool:
        """Remove the card in the Dashboard, or give up what its cardholder has left."""
        portal, name = self._emulator.portal, setup["id"]
        acts: dict[str, Callable[[str], Any]] = {
            "terminate": portal.detach,
            "expire": portal.cancel,
        }
        return act in acts and done(lambda: acts[act](name))


def order_of(intent: ApiObject) -> str:
    """The order that an intent of either kind is of."""
    return str(intent["metadata"].get(TRANSACTION, ""))


def opened(setup: ApiObject) -> str:
    """What has come of it; nobody tries another card but in a browser."""
    has_failed = setup["last_setup_error"] is not None
    if has_failed and PAID_IN not in setup["metadata"]:
        return "failure"
    return _ENDS.get(setup["status"], "pending")
