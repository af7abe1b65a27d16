"""Carrying commands out: begin, then success or failure, at once or later.

The one place where an order changes. A command begins (it is in the list, a refund
holds its amount back), and finishes by taking effect or by giving back what it held.
Replies, the portal, the consumer and a test that completes a pending command all end
here.
"""

from datetime import datetime
from typing import Final

import attrs

from kessai_adapters.emulators.veritrans4g import rules
from kessai_adapters.emulators.veritrans4g.books import (
    Books,
    Exchange,
    Order,
    Terms,
    refund_state,
)
from kessai_adapters.emulators.veritrans4g.codes import Code
from kessai_adapters.emulators.veritrans4g.errors import Refused
from kessai_adapters.emulators.veritrans4g.faults import OwnFault
from kessai_adapters.emulators.veritrans4g.notifications import ResultOutbox
from kessai_adapters.emulators.veritrans4g.protocol import result_of
from kessai_adapters.emulators.veritrans4g.words import (
    Command,
    Consent,
    Kind,
    Payment,
    Result,
    Step,
)


@attrs.frozen(kw_only=True)
class Ask:
    """A command on an existing order: yen, or the consent's new terms."""

    command: Command
    now: datetime
    amount: int | None = None
    terms: Terms | None = None
    fault: OwnFault | None = None


# ── what a success does ─────────────────────────────────────────────────────────────


def _authorize(order: Order, exchange: Exchange, now: datetime) -> None:
    if order.consent is not None:
        order.consent = Consent.CONSENTED
    if order.payment is Payment.NONE:
        return
    exchange.amount = order.amount
    order.payment = Payment.AUTHORIZED
    order.authorized = order.amount
    order.expires_at = now + rules.AUTHORIZATION_LASTS
    if order.with_capture:
        _capture(order, exchange, now)


def _capture(order: Order, exchange: Exchange, _now: datetime) -> None:
    order.captured = exchange.amount or 0
    order.released = order.authorized - order.captured
    order.payment = Payment.CAPTURED


def _cancel(order: Order, _exchange: Exchange, _now: datetime) -> None:
    order.released = order.authorized
    order.payment = Payment.CANCELLED


def _refund(order: Order, exchange: Exchange, _now: datetime) -> None:
    order.refunding -= exchange.amount or 0
    order.refunded += exchange.amount or 0
    order.payment = refund_state(order)


def _update_authorize(order: Order, exchange: Exchange, now: datetime) -> None:
    order.amount = exchange.amount or 0
    if order.payment is Payment.AUTHORIZED:
        order.authorized = order.amount
        order.expires_at = now + rules.AUTHORIZATION_LASTS


def _terminate(order: Order, _exchange: Exchange, _now: datetime) -> None:
    order.consent = Consent.TERMINATED


def _update_consent(order: Order, exchange: Exchange, _now: datetime) -> None:
    order.terms = exchange.terms


def _nothing(_order: Order, _exchange: Exchange, _now: datetime) -> None:
    pass


# ── what a failure gives back ───────────────────────────────────────────────────────


def _fail_application(order: Order, _exchange: Exchange, _now: datetime) -> None:
    if order.payment is Payment.REQUESTED:
        order.payment = Payment.FAILED
    if order.consent is not None:
        order.consent = Consent.FAILED


def _give_back(order: Order, exchange: Exchange, _now: datetime) -> None:
    order.refunding -= exchange.amount or 0


_COMMIT: Final = {
    Command.AUTHORIZE: _authorize,
    Command.REAUTHORIZE: _authorize,
    Command.CAPTURE: _capture,
    Command.CANCEL: _cancel,
    Command.REFUND: _refund,
    Command.UPDATE_AUTHORIZE: _update_authorize,
    Command.TERMINATE: _terminate,
    Command.UPDATE_CONSENT: _update_consent,
    Command.GET_ADDRESS: _nothing,
}
_RELEASE: Final = {
    Command.AUTHORIZE: _fail_application,
    Command.REAUTHORIZE: _fail_application,
    Command.REFUND: _give_back,
}


class Operations:
    """Carries commands out on the books, and notifies of the results."""

    def __init__(self, books: Books, outbox: ResultOutbox) -> None:
        self.books = books
        self.outbox = outbox

    def find(self, order_id: str, now: datetime) -> Order:
        """Return an order as it stands at `now`, or refuse."""
        order = self.books.find(order_id, now)
        if order is None:
            raise Refused(Code.UNKNOWN_ORDER)
        return order

    def apply(self, asked: rules.Application, ask: Ask, *, dummy: bool) -> Order:
        """Make a new order of an application whose id was never used (R7, Limits)."""
        if asked.order_id in self.books:
            raise Refused(Code.DUPLICATE_ORDER, "orderId")
        recurring = asked.kind is Kind.RECURRING
        order = Order(
            order_id=asked.order_id,
            number=self.books.serial(),
            kind=asked.kind,
            dummy=dummy,
            amount=asked.amount,
            with_capture=asked.with_capture,
            payment=Payment.NONE if asked.consent_only else Payment.REQUESTED,
            consent=Consent.REQUESTED if recurring else None,
            urls=asked.urls,
            terms=asked.terms,
            note=asked.note,
            hide_address=asked.hide_address,
            original_order_id=asked.original_order_id,
            held=ask.fault is OwnFault.PENDING,
        )
        amount = None if asked.consent_only else asked.amount
        exchange = self._enter(order, attrs.evolve(ask, amount=amount), Code.PENDING)
        if ask.fault is OwnFault.REFUSE:
            self.finish(order, exchange, Code.PROVIDER_REFUSED, ask.now)
            refusal = Refused(Code.PROVIDER_REFUSED)
            refusal.txn_id = exchange.txn_id
            raise refusal
        self.books.save(order)
        return order

    def perform(self, order: Order, ask: Ask) -> Exchange:
        """Carry a command out on an order, or leave it pending, or refuse it.

        A refusal changes no state, but it stays in the list and is notified.
        """
        try:
            amount = _allowed(order, ask)
        except Refused as refusal:
            exchange = self._enter(order, ask, refusal.code)
            self.books.save(order)
            self.outbox.notify(order, exchange, ask.now)
            refusal.txn_id = exchange.txn_id
            raise
        exchange = self._enter(order, attrs.evolve(ask, amount=amount), Code.PENDING)
        if ask.command is Command.REFUND:
            order.refunding += exchange.amount or 0
        if ask.fault is OwnFault.PENDING and _can_wait(order, ask.command):
            self.books.save(order)
        else:
            self.finish(order, exchange, Code.SUCCESS, ask.now)
        return exchange

    def finish(
        self, order: Order, exchange: Exchange, code: Code, now: datetime
    ) -> None:
        """Make a pending exchange final: it takes effect, or releases what it held."""
        exchange.code = code
        exchange.result = result_of(code)
        # An inquiry lists when it happened, not when it was asked for: what lasts 30
        # days (O6) lasts them from here.
        exchange.at = now
        applied = exchange is order.application
        if exchange.result is Result.SUCCESS:
            _COMMIT[exchange.command](order, exchange, now)
        elif exchange.command in _RELEASE:
            _RELEASE[exchange.command](order, exchange, now)
        if applied:
            order.step = Step.FINISHED
            order.held = False
        order.let_expire(now)
        self.books.save(order)
        self.outbox.notify(order, exchange, now)

    def _enter(self, order: Order, ask: Ask, code: Code) -> Exchange:
        exchange = Exchange(
            txn_id=f"{self.books.serial():08d}",
            command=ask.command,
            result=result_of(code),
            code=code,
            at=ask.now,
            amount=ask.amount,
            terms=ask.terms if code is Code.PENDING else None,
        )
        order.exchanges.append(exchange)
        return exchange


def _allowed(order: Order, ask: Ask) -> int | None:
    amount = rules.allow(order, ask.command, ask.amount)
    if ask.fault is OwnFault.REFUSE:
        raise Refused(Code.PROVIDER_REFUSED)
    return amount


def _can_wait(order: Order, command: Command) -> bool:
    # Reads are answered at once, and so is what precedes the authorization (F2).
    return command is not Command.GET_ADDRESS and order.payment is not Payment.REQUESTED
