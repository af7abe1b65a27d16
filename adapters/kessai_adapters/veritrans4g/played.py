"""The emulator as the simulator drives it: plain values both ways, nothing raised.

The simulator does what the network does to a request. The emulator does what the
gateway does, and malforms its answers where it is asked to.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from kessai.simulator.gateway import BookedOrder, Notice
from kessai_adapters.emulators.veritrans4g import (
    Consent,
    Emulator,
    Exchange,
    Order,
    Payment,
    Result,
)
from kessai_adapters.played import Played, done
from kessai_adapters.veritrans4g import VeriTrans4G

AMOUNTS: Final = ("authorized", "captured", "released", "refunded", "refunding")
AGREED: Final = frozenset({Consent.CONSENTED, Consent.TERMINATED})
"""Where terms bind; before, they are only asked for."""

BAD_REPLIES: Final = (
    "http_500",
    "http_502",
    "http_503",
    "garbage",
    "truncate",
    "shift_jis",
)


def booked_order(order: Order) -> BookedOrder:
    """`order` as it stands in the emulator's books, by the names of the lifecycles."""
    states: dict[str, str] = {}
    if order.payment is not Payment.NONE:
        states["payment"] = order.payment.value
    if order.consent is not None:
        states["consent"] = order.consent.value
    amounts = {name: getattr(order, name) for name in AMOUNTS}
    terms = order.terms if order.consent in AGREED else None
    amounts["agreed"] = 0 if terms is None else terms.amount
    deadlines: dict[str, datetime] = {}
    if order.payment is Payment.AUTHORIZED and order.expires_at is not None:
        deadlines["authorization"] = order.expires_at
    return BookedOrder(states, amounts, deadlines=deadlines)


class PlayedGateway(Played[Emulator]):
    """An emulator and its adapter in the hands of the simulator."""

    opens_once = True

    def __init__(
        self, emulator: Emulator, adapter: VeriTrans4G, clock: Callable[[], datetime]
    ) -> None:
        super().__init__(emulator)
        self.adapter = adapter
        self._clock = clock

    def bad_replies(self) -> Sequence[str]:
        """What can malform a reply."""
        return BAD_REPLIES

    def exchanges(self, order: str) -> Sequence[Exchange]:
        """All exchanges of an order, oldest first."""
        found = self._emulator.books.orders.get(order)
        return () if found is None else found.exchanges

    def booked(self, order: str) -> BookedOrder | None:
        """How an order stands now; an authorization may have expired by the clock."""
        found = self._emulator.books.find(order, self._clock())
        return None if found is None else booked_order(found)

    def orders(self) -> Sequence[str]:
        """The ids of all orders."""
        return tuple(self._emulator.books.orders)

    def take_notifications(self) -> Sequence[Notice]:
        """The notifications that were not taken yet."""
        if not len(self._emulator.outbox):
            return ()
        return [
            Notice(notification.order, notification.headers, notification.body)
            for notification in self._emulator.take_notifications()
        ]

    def consumer(self, order: str, act: str) -> bool:
        """Let the consumer do `act`."""
        return done(lambda: getattr(self._emulator.consumer, act)(order))

    def portal(self, order: str, act: str, amount: int | None) -> bool:
        """Do `act` in the portal."""
        asked = () if amount is None else (amount,)
        return done(lambda: getattr(self._emulator.portal, act)(order, *asked))

    def finish(self, order: str, *, good: bool) -> bool:
        """Let what is pending succeed or fail."""
        end = self._emulator.complete if good else self._emulator.fail
        return done(lambda: end(order))

    def awaits_consumer(self, order: str) -> bool:
        """Whether a consumer has still to decide."""
        found = self._emulator.books.orders.get(order)
        if found is None or found.held:
            return False
        return found.application.result is Result.PENDING
