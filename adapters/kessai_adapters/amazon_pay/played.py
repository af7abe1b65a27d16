"""Amazon Pay's emulator as the simulator drives it: plain values both ways, nothing raised."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from kessai.gateway import Reply, Request
from kessai.simulator.gateway import BookedOrder, Notice
from kessai_adapters.amazon_pay import AmazonPay
from kessai_adapters.amazon_pay.exchanges import (
    BROUGHT,
    CHARGE,
    PERMISSION,
    SESSION,
)
from kessai_adapters.emulators.amazon_pay import (
    AmazonPayEmulator,
    Charge,
    Movement,
    Permission,
    Refund,
    Session,
)
from kessai_adapters.played import Played, done

BAD_REPLIES: Final = (
    *("http_429", "http_500", "http_502", "http_503"),
    *("garbage", "truncate"),
)
_DECLINED: Final = frozenset({"Declined"})
_CONSENT: Final = {"Chargeable": "consented", "Closed": "terminated"}


class PlayedAmazonPay(Played[AmazonPayEmulator]):
    """An emulator and its adapter in the hands of the simulator."""

    opens_once = False
    """Amazon takes a merchant's reference as often as it comes."""

    def __init__(
        self,
        emulator: AmazonPayEmulator,
        adapter: AmazonPay,
        clock: Callable[[], datetime],
    ) -> None:
        super().__init__(emulator)
        self.adapter = adapter
        self._clock = clock

    def carry_out(self, request: Request, mishap: str | None) -> Reply:
        """Answer a request; a refund then succeeds, unless it is to stay pending."""
        emulator = self._emulator
        known = set(emulator.books.refunds)
        if mishap is not None and request.method == "GET":
            mishap = mishap if mishap in BAD_REPLIES else None
        reply = super().carry_out(request, mishap)
        for name in emulator.books.refunds.keys() - known:
            if mishap != "pending":
                refund = emulator.books.refunds[name]
                emulator.changes.finish_refund(refund, self._clock())
        return reply

    def bad_replies(self) -> Sequence[str]:
        """What can malform a reply."""
        return BAD_REPLIES

    def exchanges(self, order: str) -> Sequence[Movement]:
        """All exchanges of an order, oldest first."""
        return self._emulator.books.movements.get(order, ())

    def booked(self, order: str) -> BookedOrder | None:
        """How an order stands now; time may have ended what was open."""
        with self._emulator.at_work():
            found = list(self._emulator.books.of(order))
        if not found:
            return None
        for each in reversed(found):
            if isinstance(each, Charge):
                return _of_charge(each)
            if isinstance(each, Permission) and each.is_recurring:
                return BookedOrder(
                    {"consent": _CONSENT[each.state]}, {"agreed": _agreed(each)}
                )
        session = next(each for each in found if isinstance(each, Session))
        state = "failed" if session.state == "Canceled" else "requested"
        return BookedOrder(
            {"consent" if session.is_recurring else "payment": state}, {}
        )

    def orders(self) -> Sequence[str]:
        """The ids of all orders."""
        return tuple(self._emulator.books.movements)

    def take_notifications(self) -> Sequence[Notice]:
        """The notifications that were not taken yet."""
        return [
            Notice(each.order, each.headers, each.body)
            for each in self._emulator.take_notifications()
        ]

    def consumer(self, order: str, act: str) -> bool:
        """Let the buyer do `act`."""
        acts = {
            "approve": self._emulator.consumer.approve,
            "decline": self._emulator.consumer.decline,
            "refuse_card": self._emulator.consumer.decline,
        }
        return act in acts and done(lambda: acts[act](order))

    def portal(self, order: str, act: str, amount: int | None) -> bool:
        """Do `act` in the portal."""
        play = getattr(self._emulator.portal, act, None)
        asked = () if amount is None else (amount,)
        return play is not None and done(lambda: play(order, *asked))

    def finish(self, order: str, *, good: bool) -> bool:
        """Let what is pending succeed or fail."""
        end = self._emulator.complete if good else self._emulator.fail
        return done(lambda: end(order))

    def awaits_consumer(self, order: str) -> bool:
        """Whether a buyer has still to decide."""
        return any(session.is_waiting for session in self._sessions(order))

    def brought(self, order: str) -> Mapping[str, str]:
        """What the buyer has come back with, until it was sent on."""
        with self._emulator.at_work():
            for session in self._sessions(order):
                if session.state == "Open" and session.is_approved:
                    return {BROUGHT: session.id}
        return {}

    def references(self, order: str) -> Mapping[str, str]:
        """Amazon's ids for an order, by the adapter's names for them."""
        names = {Session: SESSION, Permission: PERMISSION, Charge: CHARGE}
        return {
            names[type(each)]: each.id
            for each in self._emulator.books.of(order)
            if not isinstance(each, Refund)
        }

    def _sessions(self, order: str) -> list[Session]:
        found = self._emulator.books.of(order)
        return [each for each in found if isinstance(each, Session)]


def _agreed(permission: Permission) -> int:
    from kessai_adapters.emulators.amazon_pay.price import price_of

    return price_of(permission.recurring, "amount").amount


def _of_charge(charge: Charge) -> BookedOrder:
    """A charge as it stands, by the names of the lifecycles."""
    whole = charge.price.amount
    was_authorized = charge.authorized_at is not None
    amounts = {
        "authorized": whole if was_authorized else 0,
        "captured": charge.captured,
        "released": 0,
        "lapsed": 0,
        "refunded": charge.refunded,
    }
    deadlines: dict[str, datetime] = {}
    match charge.state:
        case "AuthorizationInitiated":
            state = "requested"
        case "Authorized" | "CaptureInitiated":
            state = "authorized"
            deadlines = {"authorization": charge.expires_at}
        case "Captured":
            amounts["released"] = whole - charge.captured
            state = "captured"
            if charge.refunded:
                is_all = charge.refunded == charge.captured
                state = "refunded" if is_all else "partially_refunded"
        case "Canceled" if charge.reason == "MerchantCanceled":
            state, amounts["released"] = "cancelled", whole
        case _:
            state = "expired" if was_authorized else "failed"
            amounts["lapsed"] = amounts["authorized"]
    return BookedOrder({"payment": state}, amounts, deadlines=deadlines)
