"""What changes the books, whoever asks: the API, a consumer, the portal, or time.

Owns the machines of Amazon's objects, and says of each change that it happened
(`notify`). What a request must look like is `api`'s.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from kessai_adapters.emulators.amazon_pay.books import (
    CAPTURED_AT_ONCE,
    PENDING_LASTS,
    PERMISSION_LASTS,
    SESSION_LASTS,
    AmazonBooks,
    Charge,
    Movement,
    Permission,
    Refund,
    Session,
)
from kessai_adapters.emulators.amazon_pay.errors import AmazonRefused, not_in_state
from kessai_adapters.emulators.amazon_pay.price import MOST, Price

Notify = Callable[[str, str, str, str], None]
"""Told of each change: the kind of object, its id, its permission, its order."""

OVER_REFUND = {"EUR": 75_00, "GBP": 75_00, "JPY": 8_400, "USD": 75_00}
"""How much more than was captured may be refunded: the lesser of this and 15 %."""


class Changes:
    """The books, and every way in which they change."""

    def __init__(self, books: AmazonBooks, notify: Notify) -> None:
        self.books = books
        self._notify = notify

    # ── time ────────────────────────────────────────────────────────────────────────

    def pass_to(self, now: datetime) -> None:
        """Let everything expire that has, by `now`."""
        for session in self.books.sessions.values():
            if session.state == "Open" and now >= session.created_at + SESSION_LASTS:
                self.cancel_session(session, now, "Expired")
        for charge in self.books.charges.values():
            self._pass_by(charge, now)
        for permission in self.books.permissions.values():
            ends = permission.created_at + PERMISSION_LASTS
            lasts = permission.is_recurring or permission.state == "Closed"
            if not lasts and now >= ends:
                self.close(permission, now, "Expired")

    def _pass_by(self, charge: Charge, now: datetime) -> None:
        if charge.state == "AuthorizationInitiated":
            if now >= charge.created_at + PENDING_LASTS:
                self.finish_charge(charge, now, "TransactionTimedOut")
        elif charge.state == "Authorized" and now >= charge.expires_at:
            self._charge(charge, "Canceled", now, "ExpiredUnused")

    # ── sessions ────────────────────────────────────────────────────────────────────

    def cancel_session(self, session: Session, now: datetime, reason: str) -> None:
        """End a session that nobody completes."""
        session.becomes("Canceled", now, reason)
        session.movement.result = "failure"
        self.books.changed(session.reference)

    def complete(
        self, session: Session, now: datetime, *, declines: bool, pends: bool
    ) -> bool:
        """Turn an approved session into a permission, and a charge; False if declined."""
        if declines:
            self.cancel_session(session, now, "Declined")
            return False
        permission = Permission(
            id=self.books.new_id("B01-" if session.is_recurring else "P03-"),
            reference=session.reference,
            created_at=now,
            updated_at=now,
            state="Chargeable",
            currency=session.price.currency if session.price else "",
            is_recurring=session.is_recurring,
            metadata=session.details.get("merchantMetadata", {}),
            recurring=session.details.get("recurringMetadata", {}),
        )
        self.books.permissions[permission.id] = permission
        session.permission = permission.id
        self._permission_changed(permission)
        if session.intent == "Confirm" or session.price is None:
            session.movement.result = "success"
        else:
            charge = self.charge(
                permission,
                session.price,
                now,
                metadata=permission.metadata,
                movement=session.movement,
                with_capture=session.intent == "AuthorizeWithCapture",
                pends=pends,
            )
            session.charge = charge.id
        session.becomes("Completed", now)
        self.books.changed(session.reference)
        return True

    # ── permissions ─────────────────────────────────────────────────────────────────

    def close(self, permission: Permission, now: datetime, reason: str) -> None:
        """Close a permission: nothing is charged under it any more."""
        permission.becomes("Closed", now, reason)
        self._permission_changed(permission)

    # ── charges ─────────────────────────────────────────────────────────────────────

    def charge(
        self,
        permission: Permission,
        price: Price,
        now: datetime,
        *,
        metadata: dict[str, Any],
        movement: Movement,
        with_capture: bool,
        pends: bool = False,
        declines: bool = False,
    ) -> Charge:
        """Charge the buyer: authorized or captured, pending, or declined."""
        permission.charges += 1
        self.books.changed(permission.reference)
        charge = Charge(
            id=f"{permission.id}-C{permission.charges:06d}",
            reference=str(metadata.get("merchantReferenceId", permission.reference)),
            created_at=now,
            updated_at=now,
            state="AuthorizationInitiated",
            permission=permission.id,
            price=price,
            metadata=metadata,
            with_capture=with_capture,
            opening=movement,
        )
        self.books.charges[charge.id] = charge
        if pends:
            movement.result = "pending"
            self._charge_changed(charge)
        else:
            self.finish_charge(charge, now, "HardDeclined" if declines else "")
        return charge

    def finish_charge(self, charge: Charge, now: datetime, declined: str = "") -> None:
        """End an authorization that was under way; `declined` is why, if it is."""
        charge.opening.result = "failure" if declined else "success"
        if declined:
            self._charge(charge, "Declined", now, declined)
            return
        charge.authorized_at = now
        if charge.with_capture:
            charge.captured = charge.price.amount
        self._charge(charge, "Captured" if charge.with_capture else "Authorized", now)

    def capture(
        self, charge: Charge, amount: int, now: datetime, *, pends: bool = False
    ) -> None:
        """Capture a charge, once; later than seven days it is not final at once."""
        if charge.state != "Authorized":
            raise not_in_state("Charge", charge.state)
        if amount > charge.price.amount:
            message = "captureAmount is above the authorized amount"
            raise AmazonRefused(422, "TransactionAmountExceeded", message)
        charge.capture = self.books.moved(charge.reference, Movement("capture", amount))
        charge.capturing = amount
        authorized_at = charge.authorized_at or charge.created_at
        if pends or now - authorized_at > CAPTURED_AT_ONCE:
            charge.capture.result = "pending"
            self._charge(charge, "CaptureInitiated", now)
        else:
            self.finish_capture(charge, now)

    def finish_capture(self, charge: Charge, now: datetime, declined: str = "") -> None:
        """End a capture that was under way; declined, the charge is over."""
        if charge.capture is not None:
            charge.capture.result = "failure" if declined else "success"
        amount, charge.capturing = charge.capturing, 0
        if not declined:
            charge.captured = amount
        self._charge(charge, "Declined" if declined else "Captured", now, declined)

    def cancel(self, charge: Charge, now: datetime) -> None:
        """Cancel a charge that is not captured."""
        if charge.state not in {"Authorized", "AuthorizationInitiated"}:
            raise not_in_state("Charge", charge.state)
        self.books.moved(charge.reference, Movement("cancel", None))
        if charge.state == "AuthorizationInitiated":
            charge.opening.result = "failure"
        self._charge(charge, "Canceled", now, "MerchantCanceled")

    def void(self, charge: Charge, now: datetime) -> None:
        """Amazon takes an authorization back."""
        self._charge(charge, "Canceled", now, "AmazonCanceled")

    def charge_back(self, charge: Charge) -> None:
        """The buyer's bank takes the money back: no call tells of it."""
        id_ = self.books.new_id(f"{charge.id}-B")
        self._notify("CHARGEBACK", id_, charge.permission, charge.reference)

    # ── refunds ─────────────────────────────────────────────────────────────────────

    def refund(
        self, charge: Charge, amount: int, now: datetime, *, most: int | None = None
    ) -> Refund:
        """Begin a refund; what is not above `most` of the charge can be paid back."""
        if charge.state != "Captured":
            raise not_in_state("Charge", charge.state)
        if most is None:
            over = min(charge.captured * 15 // 100, OVER_REFUND[charge.currency])
            most = min(charge.captured + over, MOST[charge.currency])
        taken = charge.refunded + sum(
            refund.price.amount
            for refund in self.books.refunds.values()
            if refund.charge == charge.id and refund.state == "RefundInitiated"
        )
        if taken + amount > most:
            message = "refundAmount is above what can be refunded"
            raise AmazonRefused(422, "TransactionAmountExceeded", message)
        refund = Refund(
            id=self.books.new_id(f"{charge.id}-R"),
            reference=charge.reference,
            created_at=now,
            updated_at=now,
            state="RefundInitiated",
            charge=charge.id,
            price=Price(amount, charge.currency),
            movement=self.books.moved(
                charge.reference, Movement("refund", amount, "pending")
            ),
        )
        self.books.refunds[refund.id] = refund
        self._refund_changed(refund)
        return refund

    def finish_refund(self, refund: Refund, now: datetime, declined: str = "") -> None:
        """End a refund; `declined` is why, if it is."""
        refund.movement.result = "failure" if declined else "success"
        refund.becomes("Declined" if declined else "Refunded", now, declined)
        if not declined:
            self.books.charges[refund.charge].refunded += refund.price.amount
        self._refund_changed(refund)

    # ── telling ─────────────────────────────────────────────────────────────────────

    def _charge(
        self, charge: Charge, state: str, now: datetime, reason: str = ""
    ) -> None:
        charge.becomes(state, now, reason)
        self._charge_changed(charge)

    def _charge_changed(self, charge: Charge) -> None:
        self._tell("CHARGE", charge, charge.permission)

    def _refund_changed(self, refund: Refund) -> None:
        permission = self.books.charges[refund.charge].permission
        self._tell("REFUND", refund, permission)

    def _permission_changed(self, permission: Permission) -> None:
        self._tell("CHARGE_PERMISSION", permission, permission.id)

    def _tell(
        self, kind: str, changed: Charge | Refund | Permission, permission: str
    ) -> None:
        self.books.changed(changed.reference)
        self._notify(kind, changed.id, permission, changed.reference)
