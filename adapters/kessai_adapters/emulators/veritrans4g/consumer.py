"""The consumer at Amazon Pay's pages: logs in, approves, declines, closes the browser.

A program plays the consumer through `Consumer`; a person does through `pages`, which
calls the same methods. Each act that sends the browser on returns where to.
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from threading import RLock

from kessai_adapters.emulators.errors import OutOfPlay
from kessai_adapters.emulators.veritrans4g.books import Order
from kessai_adapters.emulators.veritrans4g.codes import Code
from kessai_adapters.emulators.veritrans4g.merchant import Merchant
from kessai_adapters.emulators.veritrans4g.operations import Operations
from kessai_adapters.emulators.veritrans4g.protocol import result_of
from kessai_adapters.emulators.veritrans4g.rules import SESSION_LASTS
from kessai_adapters.emulators.veritrans4g.words import Kind, Step


class Approve(StrEnum):
    """What the consumer does about an application."""

    NOW = "now"
    """Approves the moment it arrives; with the merchant's page (F2), only logs in."""

    ASK = "ask"
    """Waits for a program or a person to act."""

    DECLINE = "decline"
    """Declines the moment it arrives."""


class Consumer:
    """The consumer, for a program to play.

    Each method takes an order id and raises `OutOfPlay` if a consumer could not do that
    now: it is finished, its session has lapsed, the browser is closed, or the
    merchant's page comes first (F2).
    """

    def __init__(
        self,
        operations: Operations,
        merchant: Merchant,
        clock: Callable[[], datetime],
        lock: RLock,
    ) -> None:
        self._operations = operations
        self._merchant = merchant
        self._clock = clock
        self._lock = lock
        self.base_url = "https://gateway.example"
        """Where the pages are served, without a slash at the end."""

    def session(self, order: Order) -> str:
        """Return the checkout session's id, which opens the consumer's page."""
        return self._merchant.session(order.order_id)

    def page_url(self, order: Order | str) -> str:
        """Return the absolute URL of the consumer's page for an order or its id."""
        order_id = order if isinstance(order, str) else order.order_id
        session = self._merchant.session(order_id)
        return f"{self.base_url}/consumer/{order_id}?session={session}"

    def find(self, order_id: str) -> Order:
        """Return the order the consumer has before them; none sees a `ReAuthorize`."""
        order = self._operations.books.find(order_id, self._clock())
        if order is None or order.kind is Kind.REAUTHORIZED:
            message = f"no consumer has an application {order_id} before them"
            raise OutOfPlay(message)
        return order

    def meet(self, order: Order, approve: Approve) -> None:
        """React to a new application as `approve` asks."""
        if approve is Approve.DECLINE:
            self._finish(order, Code.CONSUMER_DECLINED, order.urls.cancel)
        elif approve is Approve.NOW:
            order.step = Step.LOGGED_IN
            if order.urls.confirm:
                self._operations.books.save(order)
            else:
                self._finish(order, Code.SUCCESS, order.urls.success)

    def log_in(self, order_id: str) -> str:
        """Log in, in a newly opened browser if it was closed.

        Returns where the browser goes: the merchant's confirmation page (F2) or the
        gateway's (F1).
        """
        with self._lock:
            order = self._unfinished(order_id)
            order.step = Step.LOGGED_IN
            order.browser_open = True
            self._operations.books.save(order)
            return order.urls.confirm or self.page_url(order)

    def approve(self, order_id: str) -> str:
        """Approve: the gateway authorizes, captures if asked to, and notifies.

        Returns `successUrl` with its signed parameters, or an empty text without one.
        """
        with self._lock:
            order = self._confirming(order_id)
            return self._finish(order, Code.SUCCESS, order.urls.success)

    def refuse_card(self, order_id: str) -> str:
        """Approve with a card that its issuer refuses; the browser goes to `errorUrl`."""
        with self._lock:
            order = self._confirming(order_id)
            return self._finish(order, Code.CARD_REFUSED, order.urls.error)

    def decline(self, order_id: str) -> str:
        """Decline: the application fails; the browser goes to `cancelUrl`."""
        with self._lock:
            order = self._browsing(order_id)
            return self._finish(order, Code.CONSUMER_DECLINED, order.urls.cancel)

    def close_browser(self, order_id: str) -> None:
        """Close the browser midway.

        Before approving, nothing is decided: the application stays pending until the
        consumer logs in again. After it, the merchant never sees the browser return.
        """
        with self._lock:
            order = self.find(order_id)
            order.browser_open = False
            self._operations.books.save(order)

    def _unfinished(self, order_id: str) -> Order:
        order = self.find(order_id)
        if order.step is Step.FINISHED:
            message = f"the consumer has finished with {order_id}"
            raise OutOfPlay(message)
        if self._clock() - order.application.at >= SESSION_LASTS:
            message = f"the checkout session of {order_id} has lapsed"
            raise OutOfPlay(message)
        return order

    def _browsing(self, order_id: str) -> Order:
        order = self._unfinished(order_id)
        if not order.browser_open:
            message = f"the browser is closed; log in to {order_id} again"
            raise OutOfPlay(message)
        return order

    def _confirming(self, order_id: str) -> Order:
        order = self._browsing(order_id)
        if order.urls.confirm and not confirms_here(order):
            message = (
                f"the merchant's page comes first for {order_id}: log in, and have the "
                "merchant ask for payRedirectUrl by GetAddress or UpdateAuthorize (F2)"
            )
            raise OutOfPlay(message)
        return order

    def _finish(self, order: Order, code: Code, url: str) -> str:
        application = order.application
        now = self._clock()
        if order.held and code is Code.SUCCESS:
            order.step = Step.FINISHED
            self._operations.books.save(order)
            code = Code.PENDING
        else:
            self._operations.finish(order, application, code, now)
        values = {
            "orderId": order.order_id,
            "mstatus": result_of(code).value,
            "vResultCode": code.value,
            "custTxn": application.txn_id,
        }
        return self._merchant.redirect(url, values) if url else ""


def confirms_here(order: Order) -> bool:
    """Return whether the consumer can approve on the gateway's page now (F1, F2)."""
    if order.step is Step.FINISHED:
        return False
    if not order.urls.confirm:
        return True
    return order.step is Step.LOGGED_IN and order.redirect_given
