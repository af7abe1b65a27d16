"""The objects that Amazon keeps: sessions, permissions, charges, refunds.

Owns what each is, how it shows itself on the wire, and what time does to it. Amounts are
in minor units. `reference` is the merchant's own id of an order: nothing is found by it
on the wire.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import attrs

from kessai_adapters.emulators.amazon_pay.price import Price

SESSION_LASTS: Final = timedelta(hours=24)
SESSION_KEPT: Final = timedelta(days=30)
PENDING_LASTS: Final = timedelta(hours=24)
CHARGE_LASTS: Final = timedelta(days=30)
PERMISSION_LASTS: Final = timedelta(days=180)
CAPTURED_AT_ONCE: Final = timedelta(days=7)
"""How long after the authorization a capture is final at once."""


def written(at: datetime) -> str:
    """Return a time as Amazon writes it."""
    return f"{at:%Y%m%dT%H%M%SZ}"


@attrs.define(eq=False)
class Movement:
    """One exchange of an order: what was asked for, and what came of it."""

    command: str
    amount: int | None
    result: str = "success"


@attrs.define(eq=False, kw_only=True)
class _Object:
    """What all objects have: an id, a state with its reason, and when both changed."""

    id: str
    reference: str
    created_at: datetime
    updated_at: datetime
    state: str
    reason: str = ""
    environment: str = "Sandbox"

    def becomes(self, state: str, now: datetime, reason: str = "") -> None:
        """Change the state."""
        self.state, self.reason, self.updated_at = state, reason, now

    def _shown(self, **more: Any) -> dict[str, Any]:
        return {
            **more,
            "creationTimestamp": written(self.created_at),
            "releaseEnvironment": self.environment,
            "statusDetails": {
                "state": self.state,
                "reasonCode": self.reason or None,
                "reasonDescription": None,
                "lastUpdatedTimestamp": written(self.updated_at),
            },
        }


@attrs.define(eq=False, kw_only=True)
class Session(_Object):
    """A checkout session; `details` are what the merchant has sent of it."""

    details: dict[str, Any]
    price: Price | None
    intent: str
    is_recurring: bool
    is_approved: bool = False
    is_declined: bool = False
    page: str = ""
    permission: str | None = None
    charge: str | None = None
    movement: Movement

    @property
    def is_waiting(self) -> bool:
        """Whether the buyer has still to decide."""
        return self.state == "Open" and not (self.is_approved or self.is_declined)

    def on_wire(self) -> dict[str, Any]:
        """Return the session as Amazon shows it."""
        web = dict(self.details.get("webCheckoutDetails", {}))
        return self._shown(
            **{
                **self.details,
                "checkoutSessionId": self.id,
                "webCheckoutDetails": {**web, "amazonPayRedirectUrl": self.page},
                "chargePermissionId": self.permission,
                "chargeId": self.charge,
                "expirationTimestamp": written(self.created_at + SESSION_LASTS),
            }
        )


@attrs.define(eq=False, kw_only=True)
class Permission(_Object):
    """A charge permission, for one order or recurring."""

    currency: str
    is_recurring: bool
    metadata: dict[str, Any] = attrs.field(factory=dict[str, Any])
    recurring: dict[str, Any] = attrs.field(factory=dict[str, Any])
    charges: int = 0

    def on_wire(self) -> dict[str, Any]:
        """Return the permission as Amazon shows it: its reasons are a list."""
        shown = self._shown(
            chargePermissionId=self.id,
            chargePermissionType="Recurring" if self.is_recurring else "OneTime",
            merchantMetadata=self.metadata,
            recurringMetadata=self.recurring or None,
        )
        code = shown["statusDetails"].pop("reasonCode")
        shown["statusDetails"]["reasons"] = [{"reasonCode": code}] if code else []
        return shown


@attrs.define(eq=False, kw_only=True)
class Charge(_Object):
    """A charge under a permission."""

    permission: str
    price: Price
    metadata: dict[str, Any] = attrs.field(factory=dict[str, Any])
    with_capture: bool = False
    authorized_at: datetime | None = None
    captured: int = 0
    refunded: int = 0
    capturing: int = 0
    opening: Movement
    capture: Movement | None = None

    @property
    def currency(self) -> str:
        """The currency of all its amounts."""
        return self.price.currency

    @property
    def expires_at(self) -> datetime:
        """When it lapses, unless it is captured."""
        return (self.authorized_at or self.created_at) + CHARGE_LASTS

    def on_wire(self) -> dict[str, Any]:
        """Return the charge as Amazon shows it: totals, and no list."""

        def price(amount: int) -> dict[str, str] | None:
            return Price(amount, self.currency).on_wire() if amount else None

        return self._shown(
            chargeId=self.id,
            chargePermissionId=self.permission,
            chargeAmount=self.price.on_wire(),
            captureAmount=price(self.captured or self.capturing),
            refundedAmount=price(self.refunded),
            merchantMetadata=self.metadata,
            expirationTimestamp=written(self.expires_at),
        )


@attrs.define(eq=False, kw_only=True)
class Refund(_Object):
    """A refund of a charge; it is never final at first."""

    charge: str
    price: Price
    movement: Movement

    def on_wire(self) -> dict[str, Any]:
        """Return the refund as Amazon shows it."""
        return self._shown(
            refundId=self.id,
            chargeId=self.charge,
            refundAmount=self.price.on_wire(),
        )


class AmazonBooks:
    """All objects by their ids, and the exchanges of each order, oldest first."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.permissions: dict[str, Permission] = {}
        self.charges: dict[str, Charge] = {}
        self.refunds: dict[str, Refund] = {}
        self.movements: dict[str, list[Movement]] = {}
        self._serial = 0

    def new_id(self, prefix: str) -> str:
        """Return an id that nothing has yet."""
        self._serial += 1
        return f"{prefix}{self._serial:07d}"

    def moved(self, reference: str, movement: Movement) -> Movement:
        """Note an exchange of an order."""
        self.movements.setdefault(reference, []).append(movement)
        return movement

    def of(self, order: str) -> Iterator[Session | Permission | Charge | Refund]:
        """All objects of an order, in the order of their making."""
        for kept in (self.sessions, self.permissions, self.charges, self.refunds):
            objects: Mapping[str, Session | Permission | Charge | Refund] = kept
            yield from (each for each in objects.values() if each.reference == order)
