"""What people do: the cardholder on the bank's page, and an operator in the Dashboard.

Each act names the intent (or setup intent) that it is about: by its id, or by what the
merchant has written into its metadata, such as the number of the order.
"""

from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import Any, TypeVar, cast

from kessai_adapters.emulators.errors import OutOfPlay
from kessai_adapters.emulators.stripe.books import ApiObject, Books, Payment
from kessai_adapters.emulators.stripe.disputes import DISPUTED, Disputes
from kessai_adapters.emulators.stripe.errors import not_possible
from kessai_adapters.emulators.stripe.forms import Params
from kessai_adapters.emulators.stripe.intents import Intents
from kessai_adapters.emulators.stripe.methods import Methods
from kessai_adapters.emulators.stripe.refunds import Refunds

_Act = TypeVar("_Act", bound=Callable[..., Any])


def _alone(act: _Act) -> _Act:
    """Let an act have the books to itself, and the id of the intent that is meant."""

    @wraps(act)
    def acted(hand: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        with hand.lock, hand.books.whole():
            return act(hand, hand.books.named(name), *args, **kwargs)

    return cast("_Act", acted)


class Consumer:
    """The cardholder. Each method returns where the browser goes on, or an empty text.

    Raises `OutOfPlay` where nobody is asked.
    """

    def __init__(
        self, books: Books, lock: RLock, intents: Intents, methods: Methods
    ) -> None:
        self.books = books
        self.lock = lock
        self._intents = intents
        self._methods = methods

    @_alone
    def pay(self, name: str, card: str) -> str:
        """Enter a card in the shop's page, by Stripe's own script there."""
        payment, setup = self.books.payments.get(name), self.books.setups.get(name)
        intent = setup if payment is None else payment.intent
        if intent is None or intent["status"] != "requires_payment_method":
            message = f"no card can be entered for {name}"
            raise OutOfPlay(message)
        entered = Params({"payment_method": card})
        if payment is None:
            self._methods.confirm_setup(name, entered)
        else:
            self._intents.confirm(name, entered)
        return ""

    @_alone
    def approve(self, name: str) -> str:
        """Pass the bank's check."""
        return self._answer(name, passes=True)

    @_alone
    def decline(self, name: str) -> str:
        """Fail the bank's check, or turn away from it."""
        return self._answer(name, passes=False)

    @_alone
    def refuse_card(self, name: str) -> str:
        """Pass the check; then the bank declines the charge."""
        payment = self._intents.finish_action(name, passes=True, card_pays=False)
        return _back(payment.intent, passes=False)

    def _answer(self, name: str, *, passes: bool) -> str:
        if name in self.books.setups:
            setup = self._methods.finish_setup(name, passes=passes)
            return _back(setup, passes=passes)
        payment = self._intents.finish_action(name, passes=passes)
        return _back(payment.intent, passes=passes)


def _back(of: ApiObject, *, passes: bool) -> str:
    """The shop's address, with what Stripe adds to it."""
    url = of.get("_return_url")
    if not url:
        return ""
    kind = of["object"]
    result = "succeeded" if passes else "failed"
    added = f"{kind}={of['id']}&{kind}_client_secret={of['client_secret']}"
    return f"{url}{'&' if '?' in url else '?'}{added}&redirect_status={result}"


class Portal:
    """The Dashboard. The API's rules apply: `ApiError` says which one is in the way."""

    def __init__(
        self,
        lock: RLock,
        disputes: Disputes,
        intents: Intents,
        refunds: Refunds,
        methods: Methods,
    ) -> None:
        self.books = methods.books
        self.lock = lock
        self._disputes = disputes
        self._intents = intents
        self._refunds = refunds
        self._methods = methods

    @_alone
    def capture(self, name: str, amount: int | None = None) -> ApiObject:
        """Capture all that is authorized, or `amount` of it."""
        given = {} if amount is None else {"amount_to_capture": str(amount)}
        return self._intents.capture(name, Params(given))

    @_alone
    def cancel(self, name: str) -> ApiObject:
        """Give the intent, or setup intent, up."""
        if name in self.books.setups:
            return self._methods.cancel_setup(name, Params({}))
        return self._intents.cancel(name, Params({}))

    @_alone
    def detach(self, name: str) -> ApiObject:
        """Remove the card that a setup intent has saved."""
        method = self._methods.setup(name)["payment_method"]
        return self._methods.detach(str(method), Params({}))

    @_alone
    def refund(self, name: str, amount: int | None = None) -> ApiObject:
        """Refund all that is left, or `amount` of it."""
        return self._refunds.made(self._intents.found(name), amount)

    @_alone
    def expire(self, name: str) -> ApiObject:
        """Let an authorization lapse now."""
        payment = self._intents.found(name)
        if payment.intent["status"] != "requires_capture":
            message = f"nothing of {name} can lapse"
            raise OutOfPlay(message)
        self._intents.lapsed(payment)
        return payment.intent

    @_alone
    def dispute(self, name: str, amount: int | None = None) -> ApiObject:
        """The cardholder disputes the charge: the money is withdrawn meanwhile."""
        payment = self._intents.found(name)
        if not payment.intent["amount_received"]:
            message = "Nothing was captured"
            raise not_possible(message)
        if any(dispute["status"] in DISPUTED for dispute in payment.disputes):
            message = "It is disputed already"
            raise not_possible(message)
        return self._disputes.opened(payment, amount)

    @_alone
    def win_dispute(self, name: str) -> ApiObject:
        """The dispute ends in the merchant's favour: the money comes back."""
        payment, dispute = self._disputed(name)
        self._disputes.won(payment, dispute)
        return dispute

    @_alone
    def lose_dispute(self, name: str) -> ApiObject:
        """The dispute ends in the cardholder's favour."""
        payment, dispute = self._disputed(name)
        self._disputes.lost(payment, dispute)
        return dispute

    def _disputed(self, name: str) -> tuple[Payment, ApiObject]:
        payment = self._intents.found(name)
        for dispute in payment.disputes:
            if dispute["status"] in DISPUTED:
                return payment, dispute
        message = f"nothing of {name} is disputed"
        raise OutOfPlay(message)
