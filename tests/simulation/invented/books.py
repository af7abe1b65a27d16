"""Kumo Pay itself: its books, and what it answers. Shares no code with its adapter's reading."""

import json
from datetime import timedelta

import attrs

from kessai.gateway import Reply

KEYS_LAST = timedelta(days=1)
CAPTURE_WITHIN = timedelta(days=7)
CONSUMER_WITHIN = timedelta(hours=6)
PEACE = timedelta(minutes=20)
OPEN = frozenset({"created", "requires_action"})


@attrs.define(eq=False)
class Booked:
    """Something that moved money, or would have."""

    command: str
    amount: int | None
    result: str
    is_reversed: bool = False


@attrs.define(eq=False)
class Payment:
    id: str
    order: str
    amount: int
    currency: str
    at_once: bool
    asks_consumer: bool
    status: str = "created"
    token: str | None = None
    captured: int = 0
    released: int = 0
    lapsed: int = 0
    capture_before: object = None
    asked_until: object = None
    exchanges: list = attrs.field(factory=list)

    @property
    def authorized(self):
        return 0 if self.status in {*OPEN, "failed"} else self.amount

    @property
    def refunded(self):
        return sum(each.amount for each in self.refunds if not each.is_reversed)

    @property
    def sent_back(self):
        return sum(each.amount for each in self.refunds if each.is_reversed)

    @property
    def refunds(self):
        done = (each for each in self.exchanges if each.result == "success")
        return [each for each in done if each.command == "refund"]

    @property
    def totals(self):
        names = ("authorized", "captured", "released", "lapsed", "refunded")
        return {name: getattr(self, name) for name in names}


class Declined(Exception):
    """The gateway says no, and why."""


class Books:
    """All payments, and the answers that are remembered by key."""

    def __init__(self, clock):
        self.clock = clock
        self.payments = {}
        self.refunds = {}
        self.answers = {}
        self.outbox = []
        self._numbers = 0

    def of(self, order):
        """The payments of an order: of one that was made anew, more than one."""
        found = [each for each in self.payments.values() if each.order == order]
        for payment in found:
            self.expire(payment)
        return found

    def answer(self, method, path, key, body, *, refuse):
        """The reply to a request; under a key that is known, the first one again."""
        if method == "GET":
            return self._shown(path.rpartition("/")[2])
        if not key:
            return Reply(status=400)
        known = self.answers.get(key)
        if known is not None and self.clock() - known[0] < KEYS_LAST:
            return known[2] if known[1] == (path, body) else Reply(status=409)
        try:
            if refuse:
                self._refuses(path)
            stated = self._does(path.strip("/").split("/"), json.loads(body))
            reply = _reply(200, stated)
        except Declined as reason:
            reply = _reply(402, {"result": "declined", "code": str(reason)})
        self.answers[key] = (self.clock(), (path, body), reply)
        return reply

    def expire(self, payment):
        if payment.status == "requires_action" and self.clock() >= payment.asked_until:
            self.fails(payment)
        before = payment.capture_before
        if payment.status == "authorized" and self.clock() >= before:
            payment.status, payment.lapsed = "expired", payment.amount
            self.notify(payment)

    def notify(self, payment):
        self.outbox.append(payment)

    def new_id(self, kind):
        self._numbers += 1
        return f"{kind}_{self._numbers}"

    def _shown(self, name):
        payment = self.payments.get(name)
        if payment is None:
            return Reply(status=404)
        self.expire(payment)
        stated = {"status": payment.status, "amount": payment.amount}
        if payment.status == "authorized":
            stated["capture_before"] = payment.capture_before.timestamp()
        return _reply(200, {**stated, "totals": payment.totals})

    def _refuses(self, path):
        """Says no; a payment that it does not confirm has failed for good."""
        kind, *rest = path.strip("/").split("/")
        payment = self.payments.get(rest[0]) if rest else None
        if kind == "payments" and rest[1:] == ["confirm"] and payment.status in OPEN:
            self.fails(payment)
        message = "refused"
        raise Declined(message)

    def _does(self, path, asked):
        match path:
            case ["payments"]:
                return self._create(asked)
            case ["refunds"]:
                return self._ask_refund(asked)
            case ["refunds", name, "confirm"] if name in self.refunds:
                payment, amount = self.refunds[name]
                return self.refund(payment, amount, name)
            case ["payments", name, act] if name in self.payments:
                payment = self.payments[name]
                self.expire(payment)
                return getattr(self, act)(payment, **asked)
        message = "not_found"
        raise Declined(message)

    def _create(self, asked):
        payment = Payment(
            self.new_id("pm"),
            asked["order"],
            asked["amount"],
            asked["currency"],
            asked["capture"],
            asked["consumer"],
        )
        self.payments[payment.id] = payment
        return {"id": payment.id}

    def confirm(self, payment, token=None):
        if payment.status == "created" and payment.asks_consumer:
            payment.status = "requires_action"
            payment.asked_until = self.clock() + CONSUMER_WITHIN
            payment.exchanges.append(Booked("authorize", payment.amount, "pending"))
            page = f"https://pay.kumo.example/{payment.id}"
            return {"result": "requires_action", "page": page}
        _need(payment.status in OPEN)
        if payment.status == "requires_action":
            _need(token is not None and token == payment.token)
            payment.exchanges[0].result = "success"
        else:
            payment.exchanges.append(Booked("authorize", payment.amount, "success"))
        payment.status = "authorized"
        payment.capture_before = self.clock() + CAPTURE_WITHIN
        stated = {"result": "done", "amount": payment.amount}
        if payment.at_once:
            payment.status, payment.captured = "captured", payment.amount
        else:
            stated["capture_before"] = payment.capture_before.timestamp()
        self.notify(payment)
        return stated

    def fails(self, payment):
        payment.status = "failed"
        if payment.exchanges:
            payment.exchanges[0].result = "failure"
        self.notify(payment)

    def capture(self, payment, amount=None):
        amount = payment.amount if amount is None else amount
        _need(payment.status == "authorized" and 0 < amount <= payment.amount)
        payment.status, payment.captured = "captured", amount
        payment.released = payment.amount - amount
        return self._done(payment, "capture", amount)

    def cancel(self, payment):
        _need(payment.status == "authorized")
        payment.status, payment.released = "cancelled", payment.amount
        return self._done(payment, "cancel", None)

    def _ask_refund(self, asked):
        payment = self.payments.get(asked["payment"])
        _need(payment is not None)
        name = self.new_id("re")
        self.refunds[name] = (payment, asked["amount"])
        return {"id": name}

    def refund(self, payment, amount, name):
        _need(
            payment.status == "captured"
            and 0 < amount <= payment.captured - payment.refunded
        )
        return self._done(payment, "refund", amount) | {"exchange": name}

    def _done(self, payment, command, amount):
        payment.exchanges.append(Booked(command, amount, "success"))
        self.notify(payment)
        stated = {"result": "done"}
        return stated if amount is None else {**stated, "amount": amount}


def _need(holds):
    if not holds:
        message = "not_possible"
        raise Declined(message)


def _reply(status, stated):
    return Reply(status=status, body=json.dumps(stated).encode())
