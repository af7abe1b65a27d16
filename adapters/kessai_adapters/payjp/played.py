"""PAY.JP's emulator as the simulator drives it: plain values both ways, nothing raised.

What orders are called, the emulator knows by the metadata that the adapter sends. A flow
that this server was to confirm, and never did, is no order yet: it moves nothing.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

from kessai.gateway import Reply, Request
from kessai.simulator.gateway import BookedOrder, Notice
from kessai_adapters.emulators.payjp import Emulator
from kessai_adapters.emulators.payjp.books import Kept, moment
from kessai_adapters.payjp.adapter import PayJp
from kessai_adapters.payjp.inquiry import is_declined, is_unconfirmed
from kessai_adapters.payjp.replies import WAITING
from kessai_adapters.payjp.requests import CUSTOMER, FLOW, METHOD, SETUP
from kessai_adapters.payjp.values import ORDER, metadata
from kessai_adapters.played import BookedAct, Played, done

BAD_REPLIES: Final = (
    "http_500",
    "http_502",
    "http_503",
    "garbage",
    "truncate",
    "over_capacity",
    "idempotency_timeout",
    "idempotency_infrastructure_error",
)
CONSUMER_WAITS: Final = timedelta(days=6)
"""A checkout ends before the lifecycle gives it up, as a shop would see to it."""

KEYS_LAST: Final = timedelta(days=365)
"""No document says how long; once one is forgotten, a resend may make another flow."""

WEBHOOK: Final = "http://127.0.0.1/webhook"
_RESULTS: Final = {
    "succeeded": "success",
    "pending": "pending",
    "requires_action": "pending",
}


def _success() -> str:
    return "success"


def _refunded(refund: Kept) -> str:
    return _RESULTS.get(refund["status"], "failure")


def _is_captured(flow: Kept) -> bool:
    """Whether it was captured by a request of its own."""
    status, method = flow["status"], flow["capture_method"]
    return (status, method) == ("succeeded", "manual")


class PlayedPayJp(Played[Emulator]):
    """An emulator and its adapter in the hands of the simulator."""

    opens_once = False

    def __init__(self, emulator: Emulator, adapter: PayJp) -> None:
        super().__init__(emulator)
        self.adapter = adapter
        emulator.events.url = WEBHOOK
        emulator.books.consumer_waits = CONSUMER_WAITS
        emulator.idempotency.lasts = KEYS_LAST

    def carry_out(self, request: Request, mishap: str | None) -> Reply:
        """Answer a request that arrived; a customer whom it names is there."""
        self._know_customer(request)
        return super().carry_out(request, mishap)

    def bad_replies(self) -> Sequence[str]:
        """What can malform a reply."""
        return BAD_REPLIES

    def exchanges(self, order: str) -> Sequence[BookedAct]:
        """All that moved something of an order, or is about to, oldest first."""
        flow = self._flow(order)
        if flow is None:
            return ()
        found = [BookedAct(lambda: self._opened(flow))]
        if flow.kind == SETUP:
            ended = self._consent(flow) == "terminated"
            return [*found, BookedAct(_success)] if ended else found
        canceled = flow["status"] == "canceled"
        if (canceled and flow["cancellation_reason"] != "expired") or _is_captured(
            flow
        ):
            found.append(BookedAct(_success))
        refunds = reversed(self._emulator.flows.refunds(flow))
        return [*found, *(BookedAct(partial(_refunded, each)) for each in refunds)]

    def booked(self, order: str) -> BookedOrder | None:
        """How an order stands now; an authorization may have expired by the clock."""
        flow = self._flow(order)
        if flow is None:
            return None
        if flow.kind == SETUP:
            return BookedOrder({"consent": self._consent(flow)}, {})
        amounts = self._amounts(flow)
        deadlines = {}
        if flow["status"] == "requires_capture":
            deadlines["authorization"] = moment(flow["expired_at"])
        return BookedOrder(
            {"payment": _payment(flow, amounts)}, amounts, deadlines=deadlines
        )

    def orders(self) -> Sequence[str]:
        """The ids of all orders."""
        found = (metadata(flow.shown, ORDER) for flow in self._flows())
        return tuple(dict.fromkeys(order for order in found if order is not None))

    def take_notifications(self) -> Sequence[Notice]:
        """The webhooks that were not taken yet, about orders."""
        taken = self._emulator.take_notifications()
        return [
            Notice(order, each.headers, each.body)
            for each in taken
            if (order := self._order_of(each.order)) is not None
        ]

    def consumer(self, order: str, act: str) -> bool:
        """Let the consumer do `act`."""
        flow = self._flow(order)
        if flow is not None and flow["status"] in WAITING and act == "decline":
            act = "leave"  # what failed in the shop's page may be tried again
        play = getattr(self._emulator.consumer, act, None)
        if flow is None or play is None or is_declined(flow.shown):
            return False
        return done(lambda: play(flow.id))

    def portal(self, order: str, act: str, amount: int | None) -> bool:
        """Do `act` in the console."""
        flow = self._flow(order)
        play = getattr(self._emulator.portal, act, None)
        if flow is None or play is None or flow.kind != FLOW:
            return False
        asked = () if amount is None else (amount,)
        return done(lambda: play(flow.id, *asked))

    def finish(self, order: str, *, good: bool) -> bool:
        """Let what is pending succeed or fail."""
        flow = self._flow(order)
        end = self._emulator.complete if good else self._emulator.fail
        return flow is not None and flow.kind == FLOW and done(lambda: end(flow.id))

    def awaits_consumer(self, order: str) -> bool:
        """Whether a consumer has still to decide."""
        flow = self._flow(order)
        if flow is None or is_declined(flow.shown):
            return False
        return self._emulator.consumer.is_awaited(flow)

    def references(self, order: str) -> Mapping[str, str]:
        """The gateway's ids for an order."""
        flow = self._flow(order)
        if flow is None:
            return {}
        if flow.kind == FLOW:
            return {FLOW: flow.id}
        found = {SETUP: flow.id, CUSTOMER: flow["customer_id"]}
        saved = flow["payment_method_id"]
        return found if saved is None else {**found, METHOD: saved}

    # ── what the books say ──────────────────────────────────────────────────────────

    def _flows(self) -> Iterator[Kept]:
        for kept in tuple(self._emulator.books.objects.values()):
            if kept.kind in {FLOW, SETUP} and not is_unconfirmed(kept.shown):
                yield kept

    def _flow(self, order: str) -> Kept | None:
        for kept in self._flows():
            if metadata(kept.shown, ORDER) == order:
                emulator = self._emulator
                if kept.kind == FLOW:
                    return emulator.flows.find(kept.id)
                return emulator.setups.find(kept.id)
        return None

    def _order_of(self, id_: str) -> str | None:
        kept = self._emulator.books.objects.get(id_)
        return None if kept is None else metadata(kept.shown, ORDER)

    def _opened(self, flow: Kept) -> str:
        if is_declined(flow.shown):
            return "failure"
        waits = self._emulator.consumer.is_awaited(flow)
        if waits or flow["status"] == "processing":
            return "pending"
        if flow.kind == SETUP:
            return "success" if flow["status"] == "succeeded" else "failure"
        return "success" if was_authorized(self._emulator, flow) else "failure"

    def _consent(self, setup: Kept) -> str:
        if setup["status"] != "succeeded":
            return "failed" if setup["status"] == "canceled" else "requested"
        method = self._emulator.books.find("payment_method", setup["payment_method_id"])
        return "consented" if method["customer_id"] is not None else "terminated"

    def _amounts(self, flow: Kept) -> dict[str, int]:
        refunds = self._emulator.flows.refunds(flow)
        held = was_authorized(self._emulator, flow)
        authorized = flow["amount"] if held else 0
        captured = flow["amount_received"]
        is_over = flow["status"] in {"succeeded", "canceled"}
        return {
            "authorized": authorized,
            "captured": captured,
            "released": authorized - captured if is_over else 0,
            "refunded": _sum(refunds, {"succeeded"}),
            "refunding": _sum(refunds, {"pending", "requires_action"}),
        }

    def _know_customer(self, request: Request) -> None:
        """The simulator invents customers; the gateway has them."""
        if request.method != "POST":
            return
        members = json.loads(request.body)
        customer = members.get("customer_id")
        if customer is not None and customer not in self._emulator.books.objects:
            made = self._emulator.books.make(
                "customer", customer, default_payment_method_id=None
            )
            self._emulator.books.save(made)


def was_authorized(emulator: Emulator, flow: Kept) -> bool:
    """Whether a flow holds money, or ever did."""
    if flow["status"] in {"requires_capture", "succeeded"}:
        return True
    found: list[Any] = emulator.events.about({"resource_id": flow.id})
    return any(each["data"]["status"] == "requires_capture" for each in found)


def _payment(flow: Kept, amounts: Mapping[str, int]) -> str:
    status = flow["status"]
    if is_declined(flow.shown):
        return "failed"
    if status == "succeeded" and amounts["refunded"]:
        whole = amounts["refunded"] == amounts["captured"]
        return "refunded" if whole else "partially_refunded"
    if status == "canceled" and amounts["authorized"]:
        return "expired" if flow["cancellation_reason"] == "expired" else "cancelled"
    states = {"requires_capture": "authorized", "succeeded": "captured"}
    return {**states, "canceled": "failed"}.get(status, "requested")


def _sum(refunds: Sequence[Kept], statuses: set[str]) -> int:
    return sum(each["amount"] for each in refunds if each["status"] in statuses)
