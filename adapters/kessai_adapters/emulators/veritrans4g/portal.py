"""The gateway's portal: what someone does there without asking the merchant's engine.

The same rules apply as on the wire; the inquiry lists what was done, and the
merchant is notified of it.
"""

from collections.abc import Callable
from datetime import datetime
from threading import RLock

from kessai_adapters.emulators.veritrans4g.books import Exchange, Order
from kessai_adapters.emulators.veritrans4g.codes import BY_PAYMENT, Code
from kessai_adapters.emulators.veritrans4g.errors import Refused
from kessai_adapters.emulators.veritrans4g.operations import Ask, Operations
from kessai_adapters.emulators.veritrans4g.words import Command, Payment


class Portal:
    """What an operator can do by hand; each method raises `Refused` with the reason."""

    def __init__(
        self, operations: Operations, clock: Callable[[], datetime], lock: RLock
    ) -> None:
        self._operations = operations
        self._clock = clock
        self._lock = lock

    def _perform(
        self, order_id: str, command: Command, yen: int | None = None
    ) -> Exchange:
        with self._lock:
            now = self._clock()
            order = self._operations.find(order_id, now)
            ask = Ask(command=command, now=now, amount=yen)
            return self._operations.perform(order, ask)

    def capture(self, order_id: str, amount: int | None = None) -> Exchange:
        """Capture `amount` yen, or all that is authorized (O2)."""
        return self._perform(order_id, Command.CAPTURE, amount)

    def cancel(self, order_id: str) -> Exchange:
        """Cancel the whole authorization (O3)."""
        return self._perform(order_id, Command.CANCEL)

    def refund(self, order_id: str, amount: int | None = None) -> Exchange:
        """Refund `amount` yen, or all that is still refundable (O4)."""
        return self._perform(order_id, Command.REFUND, amount)

    def terminate(self, order_id: str) -> Exchange:
        """End the consent (R8)."""
        return self._perform(order_id, Command.TERMINATE)

    def expire(self, order_id: str) -> Order:
        """Let an authorization expire now, or an application that nobody finished.

        The gateway has no item for an expiry; the inquiry shows it. A lapsed
        application is notified as a failed `Authorize`.
        """
        with self._lock:
            now = self._clock()
            order = self._operations.find(order_id, now)
            if order.payment_busy:
                raise Refused(Code.STATE_IN_PROGRESS)
            if order.application.code is Code.PENDING:
                application = order.application
                self._operations.finish(order, application, Code.SESSION_LAPSED, now)
            elif order.payment is Payment.AUTHORIZED:
                order.expires_at = now
                order.let_expire(now)
                self._operations.books.save(order)
            else:
                raise Refused(BY_PAYMENT[order.payment])
            return order
