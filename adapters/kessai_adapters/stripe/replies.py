"""What a reply to a command is evidence of, and what none is evidence of.

| reply                     | evidence                                                 |
|---------------------------|----------------------------------------------------------|
| 200                       | by the status of the intent or the refund                |
| 400, 404                  | declined; unless it may be done already: an inquiry      |
| 400 idempotency_error     | unknown: it says nothing of the first request            |
| 401, 403, 429             | declined: it was not carried out                         |
| 402 card_error            | declined; the intent's id is kept                        |
| 409, 5xx, anything else   | unknown                                                  |
"""

from typing import Any

from kessai.gateway import Call, Evidence, Failure, Outcome, Reply
from kessai_adapters.stated import Members, inner, members_of, says
from kessai_adapters.stripe.intents import Intent, disclosed, operation_of
from kessai_adapters.stripe.refunds import amount_of, outcome_of
from kessai_adapters.stripe.requests import CHARGE, INTENT, METHOD, SETUP
from kessai_adapters.stripe.setups import Setup, is_detached
from kessai_adapters.stripe.wire import read_code, read_id

BROKEN_OFF = "no_reply"
NEVER_SENT = "not_connected"
UNREADABLE = "unreadable_reply"

_OK = 200
_NOT_CARRIED_OUT = frozenset({401, 403, 429})
_REFUSED = frozenset({400, 404})
_CARD_ERROR = 402
_OTHER_BODY = "idempotency_error"
_MAY_BE_DONE = frozenset(
    {
        "payment_intent_unexpected_state",
        "charge_already_captured",
        "charge_already_refunded",
    }
)


def unknown(call: Call, code: str, **more: Any) -> Evidence:
    """No evidence either way."""
    return says(call, Outcome.UNKNOWN, code=code, **more)


def answer(call: Call, reply: Reply | Failure) -> Evidence:
    """What came of `call`, a command of the engine."""
    if isinstance(reply, Failure):
        if reply.sent:
            return unknown(call, BROKEN_OFF)
        return says(call, Outcome.DECLINED, code=NEVER_SENT, never_sent=True)
    stated = members_of(reply.body)
    if reply.status == _OK:
        return _READERS[call.command](call, stated)
    return _refused(call, reply.status, inner(stated, "error"))


def _intended(call: Call, stated: Members) -> Evidence:
    """The intent that was captured, or cancelled."""
    intent = Intent(stated, call)
    if not intent.id:
        return unknown(call, UNREADABLE)
    ids = intent.references
    if call.command == "cancel":
        if intent.status == "canceled":
            return says(call, Outcome.SUCCEEDED, references=ids)
        return unknown(call, UNREADABLE, needs_inquiry=True, references=ids)
    ours = [one for one in intent.captures if one.operation == call.operation]
    is_open = intent.status == "requires_capture" and call.command == "capture_part"
    if len(ours) != 1 or not (is_open or intent.status == "succeeded"):
        return unknown(call, UNREADABLE, needs_inquiry=True, references=ids)
    return says(call, Outcome.SUCCEEDED, amount=ours[0].amount, references=ids)


def _set_up(call: Call, stated: Members) -> Evidence:
    setup = Setup(stated, call)
    if not setup.id or setup.opened in {Outcome.UNKNOWN, Outcome.DECLINED}:
        return unknown(call, UNREADABLE, needs_inquiry=True)
    shown = disclosed(stated) if setup.opened is Outcome.PENDING else {}
    ids = setup.references
    exchange = {"exchange": setup.id, "disclosed": shown}
    return says(call, setup.opened, references=ids, **exchange)


def _terminated(call: Call, stated: Members) -> Evidence:
    is_it = read_id(stated) == call.references.get(METHOD)
    if is_it and is_detached(stated):
        return says(call, Outcome.SUCCEEDED)
    return unknown(call, UNREADABLE, needs_inquiry=True)


def _authorized(call: Call, stated: Members) -> Evidence:
    intent = Intent(stated, call)
    if not intent.id:
        return unknown(call, UNREADABLE)
    outcome, amount = intent.opened, intent.amount("amount")
    ids: dict[str, Any] = {"references": intent.references, "exchange": intent.id}
    if outcome is Outcome.SUCCEEDED and amount is not None:
        return says(call, outcome, amount=amount, deadlines=intent.deadlines, **ids)
    if outcome is Outcome.PENDING:
        return says(call, outcome, disclosed=intent.disclosed, **ids)
    return unknown(call, intent.status or UNREADABLE, needs_inquiry=True, **ids)


def _refunded(call: Call, stated: Members) -> Evidence:
    outcome, amount = outcome_of(stated), amount_of(stated, call)
    exchange = read_id(stated)
    is_it = operation_of(stated, call) == call.operation
    if amount is None or not exchange or not is_it or outcome is Outcome.UNKNOWN:
        return unknown(call, UNREADABLE)
    if outcome is Outcome.REVERSED:  # made and undone before it was answered
        outcome = Outcome.DECLINED
    code = read_code(stated, "failure_reason")
    moved = amount if outcome is not Outcome.DECLINED else None
    return says(call, outcome, code=code, amount=moved, exchange=exchange)


_READERS = {
    "authorize": _authorized,
    "capture": _intended,
    "capture_part": _intended,
    "cancel": _intended,
    "refund": _refunded,
    "set_up": _set_up,
    "terminate": _terminated,
}


def _refused(call: Call, status: int, error: Members) -> Evidence:
    kind = read_code(error, "type")
    if not kind:  # a proxy's, say: no word of Stripe's
        return unknown(call, UNREADABLE)
    code = _why(error) or kind
    if status == _CARD_ERROR:
        return _declined(call, code, error)
    is_over = call.command == "terminate" or read_code(error, "code") in _MAY_BE_DONE
    if status in _REFUSED and is_over:
        return unknown(call, code, needs_inquiry=True)
    if status in _NOT_CARRIED_OUT or (status in _REFUSED and kind != _OTHER_BODY):
        return says(call, Outcome.DECLINED, code=code)
    return unknown(call, code)


def _why(error: Members) -> str:
    """The code of an error and its decline code, as far as it has them."""
    stated = (read_code(error, "code"), read_code(error, "decline_code"))
    return "/".join(dict.fromkeys(filter(None, stated)))


def _declined(call: Call, code: str, error: Members) -> Evidence:
    """The card was declined; the intent exists all the same, and keeps its id."""
    of: Intent | Setup = Intent(inner(error, INTENT), call)
    if call.command == "set_up":
        of = Setup(inner(error, SETUP), call)
    ids = {name: value for name, value in of.references.items() if name != CHARGE}
    has_ended = bool(of.id) and of.opened is Outcome.DECLINED
    if call.command in {"authorize", "set_up"} and not has_ended:
        return unknown(call, code, needs_inquiry=True, references=ids)
    return says(call, Outcome.DECLINED, code=code, references=ids)
