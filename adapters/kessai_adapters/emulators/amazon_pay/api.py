"""The calls of the API, by method and path: what each must carry, and what it answers.

Owns the idempotency keys: they are kept for ever, each with the request that it came with
and its first answer. There is no call that lists anything.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

import attrs

from kessai_adapters.emulators import EmulatorReply
from kessai_adapters.emulators.amazon_pay.books import (
    SESSION_KEPT,
    Charge,
    Movement,
    Permission,
    Refund,
    Session,
    UsedKey,
)
from kessai_adapters.emulators.amazon_pay.changes import Changes
from kessai_adapters.emulators.amazon_pay.errors import (
    AmazonRefused,
    invalid,
    not_in_state,
)
from kessai_adapters.emulators.amazon_pay.price import Price, price_of

COMMANDS: Final = (
    *("create_session", "get_session", "update_session", "complete"),
    *("get_permission", "update_permission", "close"),
    *("create_charge", "get_charge", "capture", "cancel"),
    *("create_refund", "get_refund"),
)
"""What a merchant can ask for, by the names that `misbehave` takes."""

_CALLS: Final = tuple(
    (method, re.compile(path), command)
    for method, path, command in (
        ("POST", "checkoutSessions", "create_session"),
        ("GET", "checkoutSessions/([^/]+)", "get_session"),
        ("PATCH", "checkoutSessions/([^/]+)", "update_session"),
        ("POST", "checkoutSessions/([^/]+)/complete", "complete"),
        ("GET", "chargePermissions/([^/]+)", "get_permission"),
        ("PATCH", "chargePermissions/([^/]+)", "update_permission"),
        ("DELETE", "chargePermissions/([^/]+)/close", "close"),
        ("POST", "charges", "create_charge"),
        ("GET", "charges/([^/]+)", "get_charge"),
        ("POST", "charges/([^/]+)/capture", "capture"),
        ("DELETE", "charges/([^/]+)/cancel", "cancel"),
        ("POST", "refunds", "create_refund"),
        ("GET", "refunds/([^/]+)", "get_refund"),
    )
)
_NEEDS_KEY: Final = frozenset(
    {"create_session", "create_charge", "capture", "create_refund"}
)
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
_UNITS: Final = frozenset({"Year", "Month", "Week", "Day", "Variable"})
_INTENTS: Final = frozenset({"Confirm", "Authorize", "AuthorizeWithCapture"})
_LONGEST_DESCRIPTOR: Final = 16

Answer = tuple[int, dict[str, Any]]
Kept = TypeVar("Kept", Session, Permission, Charge, Refund)


@attrs.frozen(kw_only=True)
class AmazonVisit:
    """One request on its way through: what it asks for, and what Amazon plays of it."""

    command: str
    id: str
    body: Mapping[str, Any]
    now: datetime
    key: str | None = None
    declines: bool = False
    pends: bool = False


def called(method: str, path: str) -> tuple[str, str]:
    """Find the command of a path below the API's root, and the id in it.

    Raises:
        AmazonRefused: there is no such call.

    """
    for known, pattern, command in _CALLS:
        found = pattern.fullmatch(path)
        if found is not None and known == method:
            return command, "".join(found.groups())
    message = "there is no such call"
    raise AmazonRefused(404, "ResourceNotFound", message)


def answered(status: int, members: Mapping[str, Any]) -> EmulatorReply:
    """Return a JSON reply."""
    return EmulatorReply(
        status=status,
        headers={"Content-Type": "application/json"},
        body=json.dumps(members).encode(),
    )


def read_members(body: bytes) -> dict[str, Any]:
    """Read a request's JSON object; an empty body is an empty one.

    Raises:
        AmazonRefused: it is something else.

    """
    message = "the body is no JSON object"
    try:
        members = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        raise AmazonRefused(400, "InvalidRequestFormat", message) from None
    if not isinstance(members, dict):
        raise AmazonRefused(400, "InvalidRequestFormat", message)
    return members


class Api:
    """All calls, and the keys that were used."""

    def __init__(
        self, changes: Changes, page_of: Callable[[str], str], *, approves: bool
    ) -> None:
        self._changes = changes
        self._books = changes.books
        self._page_of = page_of
        self._approves = approves

    def under_key(
        self,
        key: str | None,
        request: tuple[str, str, bytes],
        command: str,
        work: Callable[[], Answer],
    ) -> EmulatorReply:
        """Answer `request` by its work; under a known key, as it was answered first."""
        if key is None:
            if command in _NEEDS_KEY:
                message = "x-amz-pay-idempotency-key is missing"
                raise AmazonRefused(400, "MissingHeader", message)
            return answered(*work())
        if request[0] != "POST":
            return answered(*work())
        if not _KEY.fullmatch(key):
            message = "x-amz-pay-idempotency-key is not valid"
            raise AmazonRefused(400, "InvalidHeaderValue", message)
        if used := self._books.used.get(key):
            if used.request != request:
                message = "the key came with another request before"
                raise AmazonRefused(400, "DuplicateIdempotencyKey", message)
            return attrs.evolve(used.reply, headers=dict(used.reply.headers))
        reply = answered(*work())
        self._books.use(UsedKey(key=key, request=request, reply=reply))
        return reply

    def carry_out(self, visit: AmazonVisit) -> Answer:
        """Do what a request asks for."""
        done: Answer = getattr(self, f"_{visit.command}")(visit)
        return done

    # ── checkout sessions ───────────────────────────────────────────────────────────

    def _create_session(self, visit: AmazonVisit) -> Answer:
        details = dict(visit.body)
        for member in ("webCheckoutDetails", "storeId"):
            if member not in details:
                message = f"{member} is missing"
                raise AmazonRefused(400, "MissingParameterValue", message)
        kind = details.get("chargePermissionType", "OneTime")
        if kind not in {"OneTime", "Recurring"}:
            raise invalid("chargePermissionType")
        payment = _object(details, "paymentDetails")
        intent = payment.get("paymentIntent", "Authorize")
        if intent not in _INTENTS:
            raise invalid("paymentIntent")
        price = price_of(payment, "chargeAmount") if "chargeAmount" in payment else None
        if kind == "Recurring":
            _check_recurring(_object(details, "recurringMetadata"))
        _refuse(visit)
        metadata = _object(details, "merchantMetadata")
        reference = str(metadata.get("merchantReferenceId", ""))
        id_ = self._books.new_id("session-")
        amount = price.amount if price else _agreed(details)
        session = Session(
            id=id_,
            reference=reference,
            created_at=visit.now,
            updated_at=visit.now,
            state="Open",
            details=details,
            price=price,
            intent=intent,
            is_recurring=kind == "Recurring",
            is_approved=self._approves,
            page=self._page_of(id_),
            movement=self._books.moved(
                reference, Movement("authorize", amount, "pending")
            ),
        )
        self._books.sessions[id_] = session
        return 201, session.on_wire()

    def _get_session(self, visit: AmazonVisit) -> Answer:
        return 200, self._session(visit).on_wire()

    def _update_session(self, visit: AmazonVisit) -> Answer:
        session = self._session(visit)
        if session.state != "Open":
            raise not_in_state("CheckoutSession", session.state)
        payment = _object(visit.body, "paymentDetails")
        if "chargeAmount" in payment:
            session.price = price_of(payment, "chargeAmount")
        session.intent = payment.get("paymentIntent", session.intent)
        session.details.update(visit.body)
        self._books.changed(session.reference)
        return 200, session.on_wire()

    def _complete(self, visit: AmazonVisit) -> Answer:
        session = self._session(visit)
        if session.state != "Open" or not session.is_approved:
            raise not_in_state("CheckoutSession", session.state)
        if session.price is not None:
            price = price_of(visit.body, "chargeAmount")
            if price != session.price:
                message = "chargeAmount is not the session's"
                raise AmazonRefused(422, "AmountMismatch", message)
        payment = _object(session.details, "paymentDetails")
        pends = visit.pends and payment.get("canHandlePendingAuthorization") is True
        good = self._changes.complete(
            session, visit.now, declines=visit.declines, pends=pends
        )
        if not good:
            message = "the payment was declined"
            raise AmazonRefused(422, "CheckoutSessionCanceled", message)
        charge = self._books.charges.get(session.charge or "")
        is_pending = charge is not None and charge.state == "AuthorizationInitiated"
        return 202 if is_pending else 200, session.on_wire()

    def _session(self, visit: AmazonVisit) -> Session:
        kept = {
            id_: session
            for id_, session in self._books.sessions.items()
            if visit.now < session.created_at + SESSION_KEPT
        }
        return _found(kept, visit.id)

    # ── charge permissions ──────────────────────────────────────────────────────────

    def _get_permission(self, visit: AmazonVisit) -> Answer:
        return 200, _found(self._books.permissions, visit.id).on_wire()

    def _update_permission(self, visit: AmazonVisit) -> Answer:
        permission = _found(self._books.permissions, visit.id)
        if permission.state == "Closed":
            raise not_in_state("ChargePermission", permission.state)
        _refuse(visit)
        if "recurringMetadata" in visit.body:
            recurring = _object(visit.body, "recurringMetadata")
            _check_recurring(recurring)
            permission.recurring = dict(recurring)
            self._note_update(visit, permission)
        permission.metadata.update(_object(visit.body, "merchantMetadata"))
        self._books.changed(permission.reference)
        return 200, permission.on_wire()

    def _note_update(self, visit: AmazonVisit, permission: Permission) -> None:
        """Note an update, but for one that was sent again: that changes nothing more."""
        if visit.key is None or visit.key not in permission.updates:
            amount = _agreed(visit.body)
            self._books.moved(permission.reference, Movement("update_consent", amount))
            permission.updates.append(visit.key or "")

    def _close(self, visit: AmazonVisit) -> Answer:
        permission = _found(self._books.permissions, visit.id)
        if not isinstance(visit.body.get("closureReason"), str):
            raise invalid("closureReason")
        if permission.state == "Closed":
            raise not_in_state("ChargePermission", permission.state)
        _refuse(visit)
        self._books.moved(permission.reference, Movement("terminate", None))
        self._changes.close(permission, visit.now, "MerchantClosed")
        return 200, permission.on_wire()

    # ── charges ─────────────────────────────────────────────────────────────────────

    def _create_charge(self, visit: AmazonVisit) -> Answer:
        body = visit.body
        permission = _found(
            self._books.permissions, str(body.get("chargePermissionId"))
        )
        price = price_of(body, "chargeAmount")
        with_capture = body.get("captureNow") is True
        _check_descriptor(body, may_have=with_capture)
        if permission.state != "Chargeable":
            raise not_in_state("ChargePermission", permission.state)
        if permission.currency and price.currency != permission.currency:
            message = "chargeAmount is in another currency than the permission"
            raise AmazonRefused(400, "CurrencyMismatch", message)
        metadata = dict(_object(body, "merchantMetadata"))
        reference = str(metadata.get("merchantReferenceId", permission.reference))
        charge = self._changes.charge(
            permission,
            price,
            visit.now,
            metadata=metadata,
            movement=self._books.moved(reference, Movement("charge", price.amount)),
            with_capture=with_capture,
            pends=visit.pends and body.get("canHandlePendingAuthorization") is True,
            declines=visit.declines,
        )
        return 201, charge.on_wire()

    def _get_charge(self, visit: AmazonVisit) -> Answer:
        return 200, _found(self._books.charges, visit.id).on_wire()

    def _capture(self, visit: AmazonVisit) -> Answer:
        charge = _found(self._books.charges, visit.id)
        price = price_of(visit.body, "captureAmount")
        _check_descriptor(visit.body)
        _check_currency(charge, price)
        _refuse(visit)
        self._changes.capture(charge, price.amount, visit.now, pends=visit.pends)
        return 200, charge.on_wire()

    def _cancel(self, visit: AmazonVisit) -> Answer:
        charge = _found(self._books.charges, visit.id)
        if not isinstance(visit.body.get("cancellationReason"), str):
            raise invalid("cancellationReason")
        _refuse(visit)
        self._changes.cancel(charge, visit.now)
        return 200, charge.on_wire()

    # ── refunds ─────────────────────────────────────────────────────────────────────

    def _create_refund(self, visit: AmazonVisit) -> Answer:
        charge = _found(self._books.charges, str(visit.body.get("chargeId")))
        price = price_of(visit.body, "refundAmount")
        _check_descriptor(visit.body)
        _check_currency(charge, price)
        _refuse(visit)
        refund = self._changes.refund(charge, price.amount, visit.now)
        return 201, refund.on_wire()

    def _get_refund(self, visit: AmazonVisit) -> Answer:
        return 200, _found(self._books.refunds, visit.id).on_wire()


def _found(kept: Mapping[str, Kept], id_: str) -> Kept:
    found = kept.get(id_)
    if found is None:
        message = "there is no such object"
        raise AmazonRefused(404, "ResourceNotFound", message)
    return found


def _object(members: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Read a member that is an object, or is not there."""
    found = members.get(name, {})
    if not isinstance(found, dict):
        raise invalid(name)
    return found


def _check_recurring(recurring: Mapping[str, Any]) -> None:
    frequency = _object(recurring, "frequency")
    value = frequency.get("value")
    if frequency.get("unit") not in _UNITS or not (
        isinstance(value, str) and value.isascii() and value.isdecimal()
    ):
        raise invalid("recurringMetadata.frequency")
    if recurring.get("amount") is not None:
        price_of(recurring, "amount")


def _agreed(details: Mapping[str, Any]) -> int | None:
    recurring = _object(details, "recurringMetadata")
    if recurring.get("amount") is None:
        return None
    return price_of(recurring, "amount").amount


def _check_descriptor(body: Mapping[str, Any], *, may_have: bool = True) -> None:
    text = body.get("softDescriptor")
    if text is None:
        return
    if not may_have:
        message = "softDescriptor goes with captureNow"
        raise AmazonRefused(400, "InvalidParameterCombination", message)
    if not isinstance(text, str) or len(text) > _LONGEST_DESCRIPTOR:
        raise invalid("softDescriptor")


def _check_currency(charge: Charge, price: Price) -> None:
    if price.currency != charge.currency:
        message = "the amount is in another currency than the charge"
        raise AmazonRefused(400, "CurrencyMismatch", message)


def _refuse(visit: AmazonVisit) -> None:
    """Play the refusal that a test asked for: nothing has changed."""
    if visit.declines:
        message = "refused, as it was asked for"
        raise AmazonRefused(400, "InvalidParameterCombination", message)
