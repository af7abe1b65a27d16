"""What is asked of Amazon for each command, and what its replies are evidence of.

Owns the paths and bodies of the API's calls. Under the key of a POST, Amazon gives its
first answer for ever. `cancel` and `terminate` are DELETE: where Amazon refuses one, the
object is read, as it may have been done before.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

import attrs

from kessai.errors import InvalidInput
from kessai.gateway import Call, Evidence, Exchange, Outcome, Request
from kessai_adapters.amazon_pay.replies import (
    is_as_it_stands,
    of_charge,
    refused,
    unclear,
)
from kessai_adapters.amazon_pay.values import (
    DIGITS,
    read_code,
    read_id,
    read_price,
    reason_of,
    state_of,
    stated_of,
    write_price,
)
from kessai_adapters.carried import as_json
from kessai_adapters.stated import Members, inner, says

SESSION = "checkout_session"
PERMISSION = "charge_permission"
CHARGE = "charge"
BROUGHT = "amazonCheckoutSessionId"
"""The query parameter with which the browser of the buyer comes back."""

_REFUND = re.compile(r"refund_([0-9]{1,9})")
_URL = re.compile(r"https?://[!-~]{1,2000}")
_HEADERS = (
    ("accept", "application/json"),
    ("content-type", "application/json"),
    ("user-agent", "kessai"),
)
_NO_REASON = "no reason was given"

_SHOWN = frozenset({"review_url", "result_url", "note"})
_CHARGED = frozenset({"with_capture", "allow_pending", "note"})
_CARRIED = {
    "authorize": _SHOWN | _CHARGED,
    "create_charge": _CHARGED,
    "capture": frozenset({"soft_descriptor"}),
    "cancel": frozenset({"reason"}),
    "refund": frozenset({"soft_descriptor"}),
    "update_consent": frozenset({"frequency"}),
    "terminate": frozenset({"reason"}),
}
_CARRIED_FOR_CONSENT = {**_CARRIED, "authorize": _SHOWN | {"frequency"}}


def carried(call: Call) -> Mapping[str, frozenset[str]]:
    """The parameters that each command carries."""
    return _CARRIED_FOR_CONSENT if "consent" in call.tracks else _CARRIED


def refund_of(call: Call) -> str:
    """The name under which the id of a refund is known: each operation has one."""
    return f"refund_{call.operation.rpartition('.')[2]}"


def refunds_in(references: Mapping[str, str]) -> dict[int, str]:
    """The ids of the refunds among `references`, by the numbers of their operations."""
    found = ((_REFUND.fullmatch(name), id_) for name, id_ in references.items())
    return {int(name[1]): id_ for name, id_ in found if name}


@attrs.frozen
class AmazonCalls:
    """The calls of one store: `root` is where they begin."""

    root: str
    store_id: str = attrs.field(repr=False)

    def get(self, path: str) -> Request:
        """A request that only reads."""
        return Request(method="GET", url=f"{self.root}/{path}", headers=_HEADERS)

    def send(self, method: str, path: str, body: Members, key: str) -> Request:
        """A request that moves something; Amazon heeds the key of a POST alone."""
        keyed = ("x-amz-pay-idempotency-key", key)
        return Request(
            method=method,
            url=f"{self.root}/{path}",
            headers=(*_HEADERS, keyed),
            body=as_json(body),
        )

    # ── the buyer's part ────────────────────────────────────────────────────────────

    def authorize(self, call: Call) -> Exchange:
        """Make a checkout session: the buyer is sent to its page."""
        asked = self._session(call)
        reply = yield self.send(
            "POST", "checkoutSessions", asked, call.key("checkout_session")
        )
        return _of_session(call, stated_of(call, reply)) or refused(call, reply)

    def page(self, call: Call) -> Exchange:
        """The page once more: of the session that is known, or by the same key."""
        if SESSION not in call.references:
            return (yield from self.authorize(call))
        reply = yield self.get(f"checkoutSessions/{call.references[SESSION]}")
        return _of_session(call, stated_of(call, reply)) or unclear(call, reply)

    def _session(self, call: Call) -> Members:
        web = {
            "checkoutReviewReturnUrl": _text(call, "review_url"),
            "checkoutResultReturnUrl": _text(call, "result_url"),
        }
        session: dict[str, Any] = {
            "storeId": self.store_id,
            "webCheckoutDetails": {n: url for n, url in web.items() if url},
            "merchantMetadata": _metadata(call),
        }
        if "consent" in call.tracks:
            return {
                **session,
                "chargePermissionType": "Recurring",
                "recurringMetadata": _recurring(call),
                "paymentDetails": {"paymentIntent": "Confirm"},
            }
        captures = call.parameters.get("with_capture") is True
        payment = {
            "paymentIntent": "AuthorizeWithCapture" if captures else "Authorize",
            "canHandlePendingAuthorization": _may_pend(call),
            "chargeAmount": _price(call),
        }
        return {**session, "chargePermissionType": "OneTime", "paymentDetails": payment}

    def complete(self, call: Call) -> Exchange:
        """Complete the session whose buyer has come back; before, nothing is charged."""
        session = _known(call, SESSION)
        if call.resumed != {BROUGHT: session}:
            message = f"{BROUGHT}: must be the id of this payment's checkout session"
            raise InvalidInput(message)
        asked = {} if "consent" in call.tracks else {"chargeAmount": _price(call)}
        path = f"checkoutSessions/{session}"
        reply = yield self.send("POST", f"{path}/complete", asked, call.key("complete"))
        done = _completed(call, stated_of(call, reply))
        if done is None and is_as_it_stands(reply):  # it may have been done before
            reply = yield self.get(path)
            stated = stated_of(call, reply)
            done = _completed(call, stated)
            if done is None and (known := _of_session(call, stated)):
                return known
        if done is None:
            return unclear(call, reply)
        if CHARGE not in done:
            return says(call, Outcome.SUCCEEDED, references=done)
        # The answer may be an old one, and says nothing of when the charge lapses.
        reply = yield self.get(f"charges/{done[CHARGE]}")
        stated = stated_of(call, reply)
        if stated.get("chargeId") != done[CHARGE]:
            return unclear(call, reply, references=done)
        return of_charge(call, stated, done)

    # ── charges ─────────────────────────────────────────────────────────────────────

    def create_charge(self, call: Call) -> Exchange:
        """Charge under the permission of the agreement."""
        permission = call.agreement_references.get(PERMISSION)
        if not permission:
            message = (
                f"{call.command}: the charge permission of its agreement is unknown"
            )
            raise InvalidInput(message)
        asked = {
            "chargePermissionId": permission,
            "chargeAmount": _price(call),
            "captureNow": call.parameters.get("with_capture") is True,
            "canHandlePendingAuthorization": _may_pend(call),
            "merchantMetadata": _metadata(call),
        }
        reply = yield self.send("POST", "charges", asked, call.key())
        stated = stated_of(call, reply)
        charge = read_id(stated.get("chargeId"))
        return (
            of_charge(call, stated, {CHARGE: charge})
            if charge
            else refused(call, reply)
        )

    def capture(self, call: Call) -> Exchange:
        """Capture the charge, once."""
        charge = _known(call, CHARGE)
        asked = {"captureAmount": _price(call), **_descriptor(call)}
        reply = yield self.send("POST", f"charges/{charge}/capture", asked, call.key())
        stated = stated_of(call, reply)
        outcome = _CAPTURES.get(state_of(stated))
        if outcome is None or stated.get("chargeId") != charge:
            return refused(call, reply)
        is_done = outcome is Outcome.SUCCEEDED
        captured = read_price(stated.get("captureAmount"), call.currency)
        return says(
            call, outcome, code=reason_of(stated), amount=captured if is_done else None
        )

    def cancel(self, call: Call) -> Exchange:
        """Cancel the charge; a second time it is cancelled already."""
        charge = _known(call, CHARGE)
        asked = {"cancellationReason": _text(call, "reason") or _NO_REASON}
        reply = yield self.send("DELETE", f"charges/{charge}/cancel", asked, call.key())
        is_refused = is_as_it_stands(reply)
        if is_refused:
            reply = yield self.get(f"charges/{charge}")
        stated = stated_of(call, reply)
        if stated.get("chargeId") != charge:
            return unclear(call, reply) if is_refused else refused(call, reply)
        state = state_of(stated)
        if state == "Canceled" and reason_of(stated) in {"", "MerchantCanceled"}:
            return says(call, Outcome.SUCCEEDED, code=reason_of(stated))
        if state in {"Canceled", "Captured", "CaptureInitiated", "Declined"}:
            code = reason_of(stated) or state
            return says(call, Outcome.DECLINED, code=code, needs_inquiry=True)
        return unclear(call, reply)

    def refund(self, call: Call) -> Exchange:
        """Begin a refund: Amazon ends it later, and tells that of its own id."""
        asked = {
            "chargeId": _known(call, CHARGE),
            "refundAmount": _price(call),
            **_descriptor(call),
        }
        reply = yield self.send("POST", "refunds", asked, call.key())
        stated = stated_of(call, reply)
        refund = read_id(stated.get("refundId"))
        outcome = REFUNDS.get(state_of(stated), Outcome.UNKNOWN)
        if not refund:
            return refused(call, reply)
        return says(
            call,
            outcome,
            code=reason_of(stated),
            exchange=refund,
            references={refund_of(call): refund},
        )

    # ── permissions ─────────────────────────────────────────────────────────────────

    def update_consent(self, call: Call) -> Exchange:
        """Change the terms of the permission."""
        permission = _known(call, PERMISSION)
        asked = {"recurringMetadata": _recurring(call)}
        reply = yield self.send(
            "PATCH", f"chargePermissions/{permission}", asked, call.key()
        )
        stated = stated_of(call, reply)
        if stated.get("chargePermissionId") != permission:
            return refused(call, reply)
        agreed = read_price(
            inner(stated, "recurringMetadata").get("amount"), call.currency
        )
        return says(call, Outcome.SUCCEEDED, amount=agreed)

    def terminate(self, call: Call) -> Exchange:
        """Close the permission; a second time it is closed already."""
        permission = _known(call, PERMISSION)
        path = f"chargePermissions/{permission}"
        asked = {
            "closureReason": _text(call, "reason") or _NO_REASON,
            "cancelPendingCharges": False,
        }
        reply = yield self.send("DELETE", f"{path}/close", asked, call.key())
        is_refused = is_as_it_stands(reply)
        if is_refused:
            reply = yield self.get(path)
        stated = stated_of(call, reply)
        if stated.get("chargePermissionId") != permission:
            return unclear(call, reply) if is_refused else refused(call, reply)
        if state_of(stated) == "Closed":
            return says(call, Outcome.SUCCEEDED)
        return unclear(call, reply)


_CAPTURES = {
    "Captured": Outcome.SUCCEEDED,
    "CaptureInitiated": Outcome.PENDING,
    "Declined": Outcome.DECLINED,
}
REFUNDS = {
    "RefundInitiated": Outcome.PENDING,
    "Refunded": Outcome.SUCCEEDED,
    "Declined": Outcome.DECLINED,
}
"""What the state of a refund says of it."""


def _known(call: Call, name: str) -> str:
    found = call.references.get(name)
    if found:
        return found
    message = (
        f"{call.command}: Amazon's id of the {name.replace('_', ' ')} is not known"
    )
    raise InvalidInput(message)


def _price(call: Call) -> dict[str, str]:
    if type(call.amount) is not int or call.amount < 0:
        message = f"{call.command}: the amount must be an integer, not below 0"
        raise InvalidInput(message)
    if call.currency not in DIGITS:
        message = f"{call.command}: the currency must be one of {', '.join(DIGITS)}"
        raise InvalidInput(message)
    return write_price(call.amount, call.currency)


def _text(call: Call, name: str) -> str | None:
    value = call.parameters.get(name)
    if value is None or isinstance(value, str):
        return value
    message = f"{call.command}: {name}: must be text"
    raise InvalidInput(message)


def _may_pend(call: Call) -> bool:
    return call.parameters.get("allow_pending") is True


def _metadata(call: Call) -> Members:
    """What comes back with every object of this transaction: our own id of it."""
    note = _text(call, "note")
    metadata = {"merchantReferenceId": call.transaction}
    return {**metadata, "noteToBuyer": note} if note else metadata


def _descriptor(call: Call) -> Members:
    text = _text(call, "soft_descriptor")
    return {"softDescriptor": text} if text else {}


def _recurring(call: Call) -> Members:
    given = call.parameters.get("frequency")
    frequency = cast("Mapping[str, Any]", given if isinstance(given, Mapping) else {})
    unit, value = frequency.get("unit"), frequency.get("value")
    if not isinstance(unit, str) or type(value) is not int:
        message = f"{call.command}: frequency: must be a unit (text) and a value"
        raise InvalidInput(message)
    shown = {"unit": read_code(unit), "value": str(value)}
    return {"frequency": shown, "amount": _price(call)}


def _of_session(call: Call, stated: Members) -> Evidence | None:
    """What a session says of its opening command; None if it is not over, nor open."""
    session = read_id(stated.get("checkoutSessionId"))
    known = call.references.get(SESSION, session)
    state = state_of(stated)
    if not session or session != known or state not in {"Open", "Canceled"}:
        return None
    references = {SESSION: session}
    if state == "Canceled":
        code = reason_of(stated)
        return says(call, Outcome.DECLINED, code=code, references=references)
    url = inner(stated, "webCheckoutDetails").get("amazonPayRedirectUrl")
    page = {"page": url} if isinstance(url, str) and _URL.fullmatch(url) else {}
    return says(
        call,
        Outcome.PENDING,
        exchange=session,
        references=references,
        disclosed={**page, SESSION: session},
    )


def _completed(call: Call, stated: Members) -> dict[str, str] | None:
    """The ids that a completed session states; None if it is not completed."""
    session = read_id(stated.get("checkoutSessionId"))
    permission = read_id(stated.get("chargePermissionId"))
    charge = read_id(stated.get("chargeId"))
    if session != call.references.get(SESSION) or state_of(stated) != "Completed":
        return None
    if "consent" in call.tracks:
        return {PERMISSION: permission} if permission else None
    return {PERMISSION: permission, CHARGE: charge} if permission and charge else None
