"""Payment flows and their refunds, by the gateway's rules.

    requires_payment_method ─▶ requires_confirmation ─▶ requires_action ─▶ processing
                                                  └────────────┴──▶ requires_capture
    requires_capture ─▶ succeeded (captured once, the rest is given back), canceled

A payment that fails goes back to `requires_payment_method`, and says why in
`last_payment_error`. An authorization that nobody captures in time is canceled as
`expired`; `expired_at` says when.
"""

import hashlib
import hmac
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from kessai_adapters.emulators.payjp.books import Books, Kept, moment, written
from kessai_adapters.emulators.payjp.cards import Cards, declined_for
from kessai_adapters.emulators.payjp.events import Events
from kessai_adapters.emulators.payjp.fields import Fields
from kessai_adapters.emulators.payjp.problems import (
    Problem,
    refuse_payment,
    refuse_status,
    refuse_value,
)

CARD_LASTS: Final = timedelta(days=7)
EXTENDED_LASTS: Final = timedelta(days=30)
PAYPAY_LASTS: Final = timedelta(days=30)

BEFORE_CONFIRMATION: Final = frozenset(
    {"requires_payment_method", "requires_confirmation"}
)
AWAITED: Final = BEFORE_CONFIRMATION | {"requires_action"}
CANCELABLE: Final = AWAITED | {"requires_capture"}
CANCEL_REASONS: Final = frozenset(
    {"abandoned", "duplicate", "fraudulent", "requested_by_customer"}
)
"""Those that a merchant may give."""

REFUND_REASONS: Final = CANCEL_REASONS - {"abandoned"}
COUNTED: Final = frozenset({"succeeded", "pending", "requires_action"})
"""The statuses of a refund that takes from what is left to refund."""

_EXTENSION: Final = "request_extended_authorization"


class Flows:
    """Payment flows; `page_url` is where the consumer of one is sent."""

    def __init__(
        self,
        books: Books,
        events: Events,
        cards: Cards,
        page_url: Callable[[Kept], str],
        secret: str,
    ) -> None:
        self._books = books
        self._events = events
        self._cards = cards
        self._page_url = page_url
        self._secret = secret.encode()
        self.three_d_secure = False
        """Whether issuers want a card's holder to confirm what a server confirms."""

    def find(self, id_: str) -> Kept:
        """The flow as it is by now: what was held, or offered, may have expired."""
        flow = self._books.find("payment_flow", id_)
        held = flow["status"] == "requires_capture"
        if held and self._books.clock() >= moment(flow["expired_at"]):
            self._cancel(flow, "expired")
        if flow["status"] in AWAITED and self._books.is_given_up(flow):
            self._cancel(flow, "abandoned")
        return flow

    def create(self, asked: Fields, fault: str | None = None) -> Kept:
        """`POST /payment_flows`, with `confirm` or without."""
        amount, currency = asked.amount("amount"), asked.needed("currency")
        if amount is None or currency != "jpy":
            refuse_value("currency" if amount else "amount", "must be jpy, and stated")
        confirm = asked.flag("confirm")
        return_url = asked.text("return_url")
        if return_url and not confirm:
            refuse_value("return_url", "only with confirm")
        flow = self._new(asked, amount)
        self._choose(flow, asked.text("payment_method_id"))
        asked.done()
        self._books.save(flow)
        self._events.record("payment_flow.created", flow)
        if confirm:
            self._confirm(flow, return_url, fault)
        return flow

    def confirm(self, id_: str, asked: Fields, fault: str | None = None) -> Kept:
        """`POST /payment_flows/{id}/confirm`."""
        method = asked.text("payment_method_id")
        options = asked.mapping("payment_method_options")
        stated = {
            "capture_method": asked.among("capture_method", {"automatic", "manual"}),
            "description": asked.text("description"),
            "payment_method_options": options or None,
        }
        asked.get("payment_method_types")
        return_url = asked.text("return_url")
        asked.done()
        flow = self.find(id_)
        self._needs(flow, BEFORE_CONFIRMATION)
        self._choose(flow, method)
        flow.shown.update({name: value for name, value in stated.items() if value})
        self._confirm(flow, return_url, fault)
        return flow

    def capture(self, id_: str, asked: Fields, fault: str | None = None) -> Kept:
        """`POST /payment_flows/{id}/capture`: once; the rest is given back."""
        amount = asked.amount("amount_to_capture")
        asked.done()
        flow = self.find(id_)
        if flow["cancellation_reason"] == "expired":
            raise Problem(400, "Payment Flow Expired")
        self._needs(flow, {"requires_capture"})
        if amount is not None and amount > flow["amount_capturable"]:
            refuse_value("amount_to_capture", "is more than amount_capturable")
        if fault == "refuse":
            refuse_payment("processing_error")
        self._succeed(flow, flow["amount_capturable"] if amount is None else amount)
        return flow

    def cancel(self, id_: str, asked: Fields) -> Kept:
        """`POST /payment_flows/{id}/cancel`, with its reason."""
        reason = asked.among("cancellation_reason", CANCEL_REASONS)
        if reason is None:
            refuse_value("cancellation_reason", "is required")
        asked.done()
        flow = self.find(id_)
        self._needs(flow, CANCELABLE)
        self._cancel(flow, reason)
        return flow

    def refunds(self, flow: Kept) -> list[Kept]:
        """The refunds of a flow, newest first."""
        return list(self._books.all("payment_refund", payment_flow_id=flow.id))

    def left(self, flow: Kept) -> int:
        """How much of a flow can still be refunded."""
        counted = (each for each in self.refunds(flow) if each["status"] in COUNTED)
        left: int = flow["amount_received"] - sum(each["amount"] for each in counted)
        return left

    def refund(self, asked: Fields, fault: str | None = None) -> Kept:
        """`POST /payment_refunds`: all that is left, or a part of it."""
        flow = self.find(asked.needed("payment_flow_id"))
        amount = asked.amount("amount", least=1)
        reason = asked.among("reason", REFUND_REASONS)
        metadata = asked.metadata()
        asked.done()
        self._needs(flow, {"succeeded"})
        left = self.left(flow)
        if not left:
            raise Problem(400, "Already Refunded")
        if amount is not None and amount > left:
            raise Problem(400, "Refund Exceeds Payment")
        status = {"pending": "pending", "refuse": "failed"}.get(
            fault or "", "succeeded"
        )
        refund = self._books.make(
            "payment_refund",
            payment_flow_id=flow.id,
            amount=left if amount is None else amount,
            status=status,
            reason=reason,
            metadata=metadata,
        )
        self._events.record("refund.created", self._books.save(refund))
        return refund

    def finish_refund(self, refund: Kept, status: str) -> None:
        """A refund that was pending has `succeeded`, or has `failed`."""
        refund.shown["status"] = status
        self._events.record("refund.updated", self._books.save(refund))

    def authorize(self, flow: Kept) -> None:
        """The payment is good: it is held, or captured at once."""
        if flow["payment_method_id"] is None:
            method = self._cards.make_method(self._type(flow), flow["customer_id"], {})
            flow.shown["payment_method_id"] = method.id
        flow.shown.update(next_action=None, last_payment_error=None)
        if flow["capture_method"] == "automatic":
            self._succeed(flow, flow["amount"])
            return
        until = self._books.clock() + self._lasts(flow)
        flow.shown.update(
            status="requires_capture",
            amount_capturable=flow["amount"],
            expired_at=written(until),
        )
        self._events.record("payment_flow.requires_capture", self._books.save(flow))

    def fails(self, flow: Kept, reason: str) -> None:
        """The payment is declined: it needs another payment method."""
        flow.shown.update(
            status="requires_payment_method",
            next_action=None,
            last_payment_error={"code": reason, "message": reason},
        )
        self._events.record("payment_flow.payment_failed", self._books.save(flow))

    def give_up(self, flow: Kept) -> None:
        """The consumer has left: the flow is canceled."""
        self._cancel(flow, "abandoned")

    # ── steps ───────────────────────────────────────────────────────────────────────

    def _new(self, asked: Fields, amount: int) -> Kept:
        customer = asked.text("customer_id")
        if customer is not None:
            self._books.find("customer", customer)
        redirect = asked.mapping("redirect_options")
        types = asked.get("payment_method_types") or ["card", "paypay"]
        flow = self._books.make(
            "payment_flow",
            amount=amount,
            currency="jpy",
            amount_capturable=0,
            amount_received=0,
            client_secret="",
            customer_id=customer,
            description=asked.text("description"),
            payment_method_id=None,
            payment_method_options=asked.mapping("payment_method_options"),
            payment_method_types=types,
            status="requires_payment_method",
            next_action=None,
            return_url=None,
            redirect_options={"include_client_secret": True, **redirect},
            capture_method=asked.among("capture_method", {"automatic", "manual"})
            or "automatic",
            last_payment_error=None,
            cancellation_reason=None,
            canceled_at=None,
            expired_at=None,
            metadata=asked.metadata(),
        )
        code = hmac.new(self._secret, flow.id.encode(), hashlib.sha256).hexdigest()[:24]
        flow.shown["client_secret"] = f"{flow.id}_secret_{code}"
        return flow

    def _choose(self, flow: Kept, method: str | None) -> None:
        """Set the payment method: the customer's own, or the customer's default one."""
        customer: str | None = flow["customer_id"]
        if customer is None:
            if method is not None:
                refuse_value("payment_method_id", "only with customer_id")
            return
        owner = self._books.find("customer", customer)
        method = method or owner["default_payment_method_id"]
        if method is not None:
            flow.shown["payment_method_id"] = self._cards.owned(customer, method).id
            flow.shown["status"] = "requires_confirmation"

    def _confirm(self, flow: Kept, return_url: str | None, fault: str | None) -> None:
        flow.shown["return_url"] = return_url or flow["return_url"]
        if flow["payment_method_id"] is None:
            refuse_value("payment_method_id", "is required to confirm")
        method = self._books.find("payment_method", flow["payment_method_id"])
        refused = declined_for(method, flow["amount"])
        refused = refused or ("card_declined" if fault == "refuse" else "")
        if refused:
            self.fails(flow, refused)
            refuse_payment(refused)
        if fault == "pending":
            flow.shown["status"] = "processing"
            self._events.record("payment_flow.processing", self._books.save(flow))
        elif self._asks(flow, method):
            url = {"url": self._page_url(flow)}
            action = {"type": "redirect_to_url", "redirect_to_url": url}
            flow.shown.update(status="requires_action", next_action=action)
            self._events.record("payment_flow.requires_action", self._books.save(flow))
        else:
            self.authorize(flow)

    def _asks(self, flow: Kept, method: Kept) -> bool:
        wanted = _card_options(flow).get("request_three_d_secure") == "any"
        return method["type"] == "paypay" or wanted or self.three_d_secure

    def _succeed(self, flow: Kept, amount: int) -> None:
        flow.shown.update(
            status="succeeded",
            amount_capturable=0,
            amount_received=amount,
            expired_at=None,
        )
        self._events.record("payment_flow.succeeded", self._books.save(flow))

    def _cancel(self, flow: Kept, reason: str) -> None:
        now = written(self._books.clock())
        at = flow["expired_at"] if reason == "expired" else now
        flow.shown.update(
            status="canceled",
            cancellation_reason=reason,
            canceled_at=at,
            amount_capturable=0,
            next_action=None,
        )
        self._events.record("payment_flow.canceled", self._books.save(flow))

    def _lasts(self, flow: Kept) -> timedelta:
        if self._type(flow) == "paypay":
            return PAYPAY_LASTS
        method = self._books.find("payment_method", flow["payment_method_id"])
        wants = _card_options(flow).get(_EXTENSION) in {"if_available", "must_extend"}
        is_foreign = method.hidden["does"] == "foreign"
        return EXTENDED_LASTS if wants and not is_foreign else CARD_LASTS

    def _type(self, flow: Kept) -> str:
        if flow["payment_method_id"] is None:
            return str(flow["payment_method_types"][0])
        method = self._books.find("payment_method", flow["payment_method_id"])
        return str(method["type"])

    @staticmethod
    def _needs(flow: Kept, statuses: frozenset[str] | set[str]) -> None:
        if flow["status"] not in statuses:
            refuse_status(flow["status"])


def _card_options(flow: Kept) -> dict[str, Any]:
    options: dict[str, Any] = (flow["payment_method_options"] or {}).get("card") or {}
    return options
