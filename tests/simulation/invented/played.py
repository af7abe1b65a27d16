"""Kumo Pay in the hands of the simulator."""

import json
from pathlib import Path

import attrs

from invented.adapter import HOST, PAYMENT, Kumo, signature
from invented.books import OPEN, PEACE, Books, Declined
from kessai.gateway import Reply
from kessai.simulator.gateway import BookedOrder, Notice
from kessai.spec import load_file

LIFECYCLE_FILE = Path(__file__).with_name("kumo.toml")
LIFECYCLE = load_file(LIFECYCLE_FILE)
BAD_REPLIES = ("too_many", "too_many", "http_500", "garbage")


class PlayedKumo:
    """The gateway's books and its adapter, by what the simulator asks of any gateway."""

    opens_once = False

    def __init__(self, clock):
        self.adapter = Kumo()
        self.books = Books(clock)

    def carry_out(self, request, mishap):
        self._check(request)
        path = request.url.removeprefix(HOST)
        if mishap == "too_many":  # it has done nothing
            at = str(int((self.books.clock() + PEACE).timestamp()))
            return Reply(status=429, headers=(("Retry-At", at),))
        key = dict(request.headers).get("Idempotency-Key")
        refuse = mishap == "refuse"
        reply = self.books.answer(
            request.method, path, key, request.body, refuse=refuse
        )
        spoilt = {
            "http_500": Reply(status=500, body=reply.body),
            "garbage": attrs.evolve(reply, body=b"<html>"),
        }
        return spoilt.get(mishap, reply)

    def _check(self, request):
        """Every request is signed over its moment, its salt and all of itself."""
        headers = dict(request.headers)
        parts = (
            headers["Kumo-Date"],
            headers["Kumo-Salt"],
            request.method,
            request.url,
        )
        signed = signature(
            self.adapter.secret, *(part.encode() for part in parts), request.body
        )
        assert signed == headers["Kumo-Signature"]

    def bad_replies(self):
        return BAD_REPLIES

    def exchanges(self, order):
        return [each for payment in self.books.of(order) for each in payment.exchanges]

    def booked(self, order):
        payments = self.books.of(order)
        begun = [each for each in payments if each.status != "created"]
        if not begun:
            return None
        (payment,) = begun
        state = {"requires_action": "requested"}.get(payment.status, payment.status)
        if payment.refunded:
            whole = payment.refunded == payment.captured
            state = "refunded" if whole else "partially_refunded"
        return BookedOrder(
            {"payment": state}, payment.totals, {"refunded": payment.sent_back}
        )

    def orders(self):
        """Those for which something was confirmed; what was only made moves nothing."""
        made = self.books.payments.values()
        return tuple(dict.fromkeys(p.order for p in made if p.status != "created"))

    def take_notifications(self):
        taken, self.books.outbox = self.books.outbox, []
        return [self._notice(payment) for payment in taken]

    def _notice(self, payment):
        stated = {"event": self.books.new_id("ev"), "payment": payment.id}
        body = json.dumps(stated).encode()
        headers = {"Kumo-Signature": signature(self.adapter.secret, body)}
        return Notice(payment.order, headers, body)

    def consumer(self, order, act):
        found = [p for p in self.books.of(order) if p.status == "requires_action"]
        if not found or act not in {"approve", "decline", "refuse_card"}:
            return False
        (payment,) = found
        if act == "approve":
            payment.token = f"token-{payment.id}"
        else:
            self.books.fails(payment)
        return True

    def brought(self, order):
        """What the consumer has come back with, until it was sent on."""
        for payment in self.books.of(order):
            if payment.status == "requires_action" and payment.token:
                return {"token": payment.token}
        return {}

    def portal(self, order, act, amount):
        for payment in self.books.of(order):
            if payment.status in {*OPEN, "failed"}:
                continue
            try:
                if act == "refund":
                    left = payment.captured - payment.refunded
                    amount = left if amount is None else amount
                    self.books.refund(payment, amount, self.books.new_id("re"))
                elif act == "capture":
                    self.books.capture(payment, amount)
                elif act == "cancel":
                    self.books.cancel(payment)
            except Declined:
                return False
            return True
        return False

    def references(self, order):
        begun = [p for p in self.books.of(order) if p.status != "created"]
        return {PAYMENT: begun[0].id} if begun else {}

    def reversible(self):
        """The orders of which a refund can come back."""
        made = self.books.payments.values()
        return tuple(dict.fromkeys(p.order for p in made if p.refunded))

    def take_back(self, order):
        """The consumer's bank sends the last refund back."""
        for payment in self.books.of(order):
            for refund in reversed(payment.refunds):
                if not refund.is_reversed:
                    refund.is_reversed = True
                    self.books.notify(payment)
                    return True
        return False

    def finish(self, order, *, good):
        return False

    def awaits_consumer(self, order):
        return any(
            payment.status == "requires_action" and payment.token is None
            for payment in self.books.of(order)
        )

    def close(self):
        pass
