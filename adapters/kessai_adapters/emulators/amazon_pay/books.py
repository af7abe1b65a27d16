"""The objects that Amazon keeps: sessions, permissions, charges, refunds.

Owns what each is, how it shows itself on the wire, and what time does to it. Amounts are
in minor units. `reference` is the merchant's own id of an order: nothing is found by it
on the wire. With a `Shelf` the books are in a file: a row of all that an order has, and a
row for each key.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import attrs
import msgspec

from kessai_adapters.emulators import EmulatorReply
from kessai_adapters.emulators.amazon_pay.price import Price
from kessai_adapters.emulators.shelf import Serial, Shelf

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
    number: int = 0
    """Which of its order's it is."""


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
    updates: list[str] = attrs.field(factory=list[str])
    """The keys of its updates."""

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


@attrs.define(eq=False, kw_only=True)
class UsedKey:
    """A key with the request that it came with, and its first answer."""

    key: str
    request: tuple[str, str, bytes]
    reply: EmulatorReply


@attrs.define(eq=False, kw_only=True)
class _Row:
    """What the file has of an order, or of a key."""

    order: str = ""
    movements: list[Movement] = attrs.field(factory=list[Movement])
    sessions: list[Session] = attrs.field(factory=list[Session])
    permissions: list[Permission] = attrs.field(factory=list[Permission])
    charges: list[Charge] = attrs.field(factory=list[Charge])
    refunds: list[Refund] = attrs.field(factory=list[Refund])
    used: UsedKey | None = None


class AmazonBooks:
    """All objects by their ids, and the exchanges of each order, oldest first.

    Whoever changes an object says so (`changed`), or its order is not written.
    """

    def __init__(self, shelf: Shelf | None = None) -> None:
        self.sessions: dict[str, Session] = {}
        self.permissions: dict[str, Permission] = {}
        self.charges: dict[str, Charge] = {}
        self.refunds: dict[str, Refund] = {}
        self.movements: dict[str, list[Movement]] = {}
        self.used: dict[str, UsedKey] = {}
        self._shelf = shelf
        self._serial = Serial(shelf)
        self._changed: set[str] = set()
        for row in () if shelf is None else shelf.rows():
            self._take(msgspec.json.decode(row, type=_Row))

    def _take(self, row: _Row) -> None:
        if row.used is not None:
            self.used[row.used.key] = row.used
            return
        self.movements[row.order] = row.movements
        self.sessions |= {each.id: each for each in row.sessions}
        self.permissions |= {each.id: each for each in row.permissions}
        self.charges |= {each.id: each for each in row.charges}
        self.refunds |= {each.id: each for each in row.refunds}
        # An object and the order's list have one movement between them.
        for session in row.sessions:
            session.movement = row.movements[session.movement.number]
        for refund in row.refunds:
            refund.movement = row.movements[refund.movement.number]
        for charge in row.charges:
            charge.opening = row.movements[charge.opening.number]
            if charge.capture is not None:
                charge.capture = row.movements[charge.capture.number]

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Write what changes meanwhile, or nothing of it if the process dies."""
        if self._shelf is None:
            yield
            return
        with self._shelf.whole():
            try:
                yield
            finally:
                self._write(self._shelf)

    def _write(self, shelf: Shelf) -> None:
        for order in self._changed:
            row = _Row(
                order=order,
                movements=self.movements[order],
                sessions=_of(self.sessions, order),
                permissions=_of(self.permissions, order),
                charges=_of(self.charges, order),
                refunds=_of(self.refunds, order),
            )
            shelf.keep(f"order/{order}", msgspec.json.encode(row).decode())
        self._changed.clear()

    def changed(self, order: str) -> None:
        """Note that something of an order has changed."""
        if self._shelf is not None:
            self._changed.add(order)

    def use(self, used: UsedKey) -> None:
        """Keep a key for ever."""
        self.used[used.key] = used
        if self._shelf is not None:
            row = msgspec.json.encode(_Row(used=used)).decode()
            self._shelf.keep(f"key/{used.key}", row)

    def serial(self) -> int:
        """A number that was never given before."""
        return self._serial.next()

    def new_id(self, prefix: str) -> str:
        """Return an id that nothing has yet."""
        return f"{prefix}{self.serial():07d}"

    def moved(self, reference: str, movement: Movement) -> Movement:
        """Note an exchange of an order."""
        movements = self.movements.setdefault(reference, [])
        movement.number = len(movements)
        movements.append(movement)
        self.changed(reference)
        return movement

    def of(self, order: str) -> Iterator[Session | Permission | Charge | Refund]:
        """All objects of an order, in the order of their making."""
        yield from _of(self.sessions, order)
        yield from _of(self.permissions, order)
        yield from _of(self.charges, order)
        yield from _of(self.refunds, order)

    def close(self) -> None:
        """Let go of the file."""
        if self._shelf is not None:
            self._shelf.close()
            self._shelf = None


_Kept = TypeVar("_Kept", bound=_Object)


def _of(kept: Mapping[str, _Kept], order: str) -> list[_Kept]:
    return [each for each in kept.values() if each.reference == order]
