"""Kumo Pay's adapter: exchanges of two requests, ids learned and sent on, sealed requests."""

import hashlib
import hmac
import json
import re
from datetime import UTC, datetime, timedelta

import attrs

from kessai.errors import InvalidInput, NotificationRefused
from kessai.gateway import (
    INQUIRY,
    Adapter,
    Evidence,
    Failure,
    ListedExchange,
    Mention,
    Outcome,
    Request,
    Source,
)

HOST = "https://api.kumo.example"
PAYMENT = "payment"
"""The name of the one id that a transaction has at the gateway."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_LATEST = 10**10


def signature(secret: str, *parts: bytes) -> str:
    return hmac.new(secret.encode(), b"\n".join(parts), hashlib.sha256).hexdigest()


@attrs.frozen
class Kumo(Adapter):
    """One request makes a thing at the gateway, a second one carries it out."""

    merchant: str = "m_1"
    secret: str = attrs.field(default="kumo-secret", repr=False)
    name = "kumo"
    replays = timedelta(days=1)

    @classmethod
    def from_environment(cls, environment):
        names = ("KUMO_MERCHANT", "KUMO_SECRET")
        for name in names:
            if not _ID.fullmatch(environment.get(name, "")):
                message = f"{name}: is not set, or is none of Kumo Pay's"
                raise InvalidInput(message)
        return cls(*(environment[name] for name in names))

    @property
    def account(self):
        return f"{self.merchant}/test"

    def exchange(self, call):
        if call.command == INQUIRY:
            return self._inquiry(call)
        exchanges = {"authorize": self._authorize, "refund": self._refund}
        return exchanges.get(call.command, self._change)(call)

    def page(self, call):
        """Under keys that it knows, the gateway answers as it did at first."""
        return self._authorize(call)

    def seal(self, request, at, nonce):
        date, salt = at.isoformat(timespec="seconds"), nonce.hex()
        parts = (date, salt, request.method, request.url)
        signed = signature(self.secret, *(p.encode() for p in parts), request.body)
        sealed = (("Kumo-Date", date), ("Kumo-Salt", salt), ("Kumo-Signature", signed))
        return attrs.evolve(request, headers=(*request.headers, *sealed))

    def received(self, notification):
        headers = {name.lower(): value for name, value in notification.headers.items()}
        signed = signature(self.secret, notification.body)
        given = headers.get("kumo-signature", "").encode()
        if not hmac.compare_digest(given, signed.encode()):
            message = "notification refused: its signature is not the gateway's"
            raise NotificationRefused(message)
        yield from ()
        if payment := _id(_members(notification.body), PAYMENT):
            return (Mention(PAYMENT, payment),)
        message = "notification refused: it names no payment"
        raise NotificationRefused(message)

    # ── exchanges ───────────────────────────────────────────────────────────────────

    def _authorize(self, call):
        """Make a payment, then confirm it; the second time with the consumer's token."""
        known = call.references.get(PAYMENT)
        if call.resumed is not None:
            if not known or set(call.resumed) != {"token"}:
                message = "token: the consumer of a payment comes back with just that"
                raise InvalidInput(message)
            reply = yield _post(call, f"/payments/{known}/confirm", "", **call.resumed)
            return _read(call, reply)
        asked = {
            "order": call.transaction,
            "amount": call.amount,
            "currency": call.currency,
            "capture": call.parameters.get("with_capture") is True,
            "consumer": call.parameters.get("with_consumer") is True,
        }
        reply = yield _post(call, "/payments", "create", **asked)
        made = _id(_body(reply), "id")
        if not made:
            return _read(call, reply)
        reply = yield _post(call, f"/payments/{made}/confirm", "confirm")
        return _read(call, reply, made)

    def _refund(self, call):
        """Ask for a refund, then have it made."""
        asked = {PAYMENT: _known(call), "amount": call.amount}
        reply = yield _post(call, "/refunds", "create", **asked)
        made = _id(_body(reply), "id")
        if not made:
            return _read(call, reply)
        reply = yield _post(call, f"/refunds/{made}/confirm", "confirm")
        return _read(call, reply, is_second=True)

    def _change(self, call):
        if call.command not in {"capture", "cancel"}:
            message = f"{call.command}: Kumo Pay has no such command"
            raise InvalidInput(message)
        path = f"/payments/{_known(call)}/{call.command}"
        amount = {} if call.amount is None else {"amount": call.amount}
        return _read(call, (yield _post(call, path, "", **amount)))

    def _inquiry(self, call):
        """What there is of the payment; without its id nothing can be asked."""
        known = call.references.get(PAYMENT)
        if known is None:
            return _says(call, Outcome.UNKNOWN)
        reply = yield Request(method="GET", url=f"{HOST}/payments/{known}")
        if isinstance(reply, Failure):
            return _says(call, Outcome.UNKNOWN, never_sent=not reply.sent)
        stated = _body(reply)
        references = {PAYMENT: known}
        opening = {"requires_action": Outcome.PENDING, "failed": Outcome.DECLINED}
        amount, totals = _amount(stated, "amount"), stated.get("totals")
        status = stated.get("status")
        if not _id(stated, "status") or amount is None or not _are_totals(totals):
            return _says(call, Outcome.UNKNOWN, not_before=_peace(reply))
        if status in opening:  # nothing else can have happened to it
            listed = ListedExchange(
                command="authorize",
                outcome=opening[status],
                amount=amount,
                exchange=known,
            )
            return _says(
                call, Outcome.SUCCEEDED, listing=(listed,), references=references
            )
        return _says(
            call,
            Outcome.SUCCEEDED,
            totals=totals,
            deadlines=_deadlines(stated),
            references=references,
        )


def _known(call):
    if PAYMENT in call.references:
        return call.references[PAYMENT]
    message = f"{call.command}: the gateway's id of the payment is not known"
    raise InvalidInput(message)


def _post(call, path, step, **asked):
    return Request(
        method="POST",
        url=HOST + path,
        headers=(("Idempotency-Key", call.key(step)),),
        body=json.dumps(asked, sort_keys=True).encode(),
    )


def _body(reply):
    """The members of a reply that says something."""
    if isinstance(reply, Failure) or reply.status not in {200, 402}:
        return {}
    return _members(reply.body)


def _members(body):
    """The members of a JSON object; none where it is no such thing, or says one twice."""
    try:
        stated = json.loads(body, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return {}
    return stated if isinstance(stated, dict) else {}


def _once(pairs):
    if len(dict(pairs)) < len(pairs):
        message = "a member is there twice"
        raise ValueError(message)
    return dict(pairs)


def _id(stated, name):
    value = stated.get(name)
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def _amount(stated, name):
    value = stated.get(name)
    return value if type(value) is int and 0 <= value < 2**63 else None


def _are_totals(given):
    return isinstance(given, dict) and all(
        _id({"name": name}, "name") and _amount(given, name) is not None
        for name in given
    )


def _read(call, reply, payment=None, *, is_second=False):
    """The evidence of a command's last reply."""
    references = {} if payment is None else {PAYMENT: payment}
    if isinstance(reply, Failure):
        if not reply.sent and payment is None and not is_second:
            return _says(call, Outcome.DECLINED, never_sent=True)
        return _says(call, Outcome.UNKNOWN, references=references)
    stated = _body(reply)
    outcomes = {
        "done": Outcome.SUCCEEDED,
        "requires_action": Outcome.PENDING,
        "declined": Outcome.DECLINED,
    }
    outcome = outcomes.get(_id(stated, "result"), Outcome.UNKNOWN)
    is_refusal = not isinstance(reply, Failure) and reply.status == 402
    if is_refusal is not (outcome is Outcome.DECLINED):
        outcome = Outcome.UNKNOWN
    if outcome is Outcome.UNKNOWN:
        peace = _peace(reply)
        return _says(call, outcome, references=references, not_before=peace)
    page = stated.get("page") if outcome is Outcome.PENDING else None
    return _says(
        call,
        outcome,
        code=_id(stated, "code"),
        amount=_amount(stated, "amount") if outcome is Outcome.SUCCEEDED else None,
        exchange=_id(stated, "exchange") or None,
        references=references,
        deadlines=_deadlines(stated),
        disclosed={"page": page} if page else {},
    )


def _says(call, outcome, **more):
    inquires = call.command == INQUIRY
    return Evidence(
        source=Source.INQUIRY if inquires else Source.REPLY,
        transaction=call.transaction,
        command=None if inquires else call.command,
        outcome=outcome,
        **more,
    )


def _deadlines(stated):
    before = stated.get("capture_before")
    if type(before) not in {int, float} or not 0 <= before < _LATEST:
        return {}
    return {"authorization": datetime.fromtimestamp(before, UTC)}


def _peace(reply):
    """Until when the gateway wants to be left alone, if it says so."""
    if isinstance(reply, Failure) or reply.status != 429:
        return None
    at = dict(reply.headers).get("Retry-At", "")
    is_moment = at.isascii() and at.isdecimal() and len(at) <= 10
    return datetime.fromtimestamp(int(at), UTC) if is_moment else None
