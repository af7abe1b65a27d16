"""What the simulator asks of a gateway's stand-in: plain values, nothing raised.

An emulator package offers one; the simulator knows none by name.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import attrs

from kessai.gateway import Adapter, Reply, Request
from kessai.machine import Transaction

COUNTED = ("captured", "refunded")


class BookedExchange(Protocol):
    """One exchange in the stand-in's own books; `result` changes while it is pending."""

    @property
    def result(self) -> str:
        """`success`, `failure` or `pending`."""
        ...


@attrs.frozen
class BookedOrder:
    """How an order stands in the gateway's books: states by track, amounts by name.

    `taken_back` are amounts that had succeeded, and count no more. `deadlines` are those
    that count now, by the lifecycle's names for them.
    """

    states: Mapping[str, str]
    amounts: Mapping[str, int]
    taken_back: Mapping[str, int] = attrs.field(factory=dict[str, int])
    deadlines: Mapping[str, datetime] = attrs.field(factory=dict[str, datetime])

    def ever(self, name: str) -> int:
        """The most that may be counted: of what was taken back one may not know yet."""
        return self.amounts.get(name, 0) + self.taken_back.get(name, 0)


def ahead(counted: Mapping[str, object], booked: BookedOrder | None) -> Iterator[str]:
    """Each amount that is counted before it has moved at the gateway."""
    for name in COUNTED:
        theirs = 0 if booked is None else booked.ever(name)
        ours = counted.get(name, 0)
        if isinstance(ours, int) and ours > theirs:
            yield f"{name} is {ours}, and {theirs} at the gateway"


def differences(transaction: Transaction, booked: BookedOrder | None) -> Iterator[str]:
    """Each state, and each amount that the gateway keeps, that both have differently.

    `booked` is None where the gateway knows nothing of the order.
    """
    if booked is None:
        yield from _known_here_alone(transaction)
        return
    if transaction.states != booked.states:
        yield f"{dict(transaction.states)}, the gateway {dict(booked.states)}"
    for name, theirs in booked.amounts.items():
        ours = transaction.amounts.get(name, 0)
        if ours != theirs:
            yield f"{name} {ours}, the gateway {theirs}"


def _known_here_alone(transaction: Transaction) -> Iterator[str]:
    for track, state in transaction.states.items():
        if state != "failed":
            yield f"{track} {state}, the gateway knows nothing"
    for name, ours in transaction.amounts.items():
        if ours:
            yield f"{name} {ours}, the gateway knows nothing"


@attrs.frozen
class Notice:
    """A notification on its way, the order it is about, and whose endpoint it is for."""

    order: str
    headers: Mapping[str, str]
    body: bytes
    account: str | None = None


class PlayedGateway(Protocol):
    """A stand-in with its adapter; each act returns whether it could be done."""

    @property
    def adapter(self) -> Adapter:
        """The adapter that speaks its language."""
        ...

    @property
    def opens_once(self) -> bool:
        """Whether it refuses an order id that it has already."""
        ...

    def carry_out(self, request: Request, mishap: str | None) -> Reply:
        """What the gateway answers; `mishap` is `refuse`, `pending`, or a bad reply."""
        ...

    def bad_replies(self) -> Sequence[str]:
        """The mishaps that make a reply malformed."""
        ...

    def exchanges(self, order: str) -> Sequence[BookedExchange]:
        """All exchanges of an order, oldest first."""
        ...

    def booked(self, order: str) -> BookedOrder | None:
        """An order as it is booked now."""
        ...

    def orders(self) -> Sequence[str]:
        """The ids of all orders, in the order in which they were opened."""
        ...

    def take_notifications(self) -> Sequence[Notice]:
        """The notifications that were not taken yet, oldest first."""
        ...

    def consumer(self, order: str, act: str) -> bool:
        """Play the consumer: `log_in`, `approve`, `decline`, `refuse_card`, …."""
        ...

    def portal(self, order: str, act: str, amount: int | None) -> bool:
        """Act in the portal: `capture`, `cancel`, `refund`, `terminate`, `expire`."""
        ...

    def finish(self, order: str, *, good: bool) -> bool:
        """Let what is pending succeed or fail."""
        ...

    def brought(self, order: str) -> Mapping[str, str]:
        """What the consumer came back with, and the order system has not sent on."""
        ...

    def references(self, order: str) -> Mapping[str, str]:
        """The gateway's ids for an order, by its adapter's names for them."""
        ...

    def reversible(self) -> Sequence[str]:
        """The ids of the orders of which a success can be taken back."""
        ...

    def take_back(self, order: str) -> bool:
        """Take the last success of an order back that can be taken back."""
        ...

    def awaits_consumer(self, order: str) -> bool:
        """Whether a consumer has still to decide about an opening command."""
        ...

    def close(self) -> None:
        """Let go of what is held."""
        ...


MakeGateway = Callable[
    [Callable[[], datetime]], PlayedGateway | Mapping[str, PlayedGateway]
]
"""Makes a stand-in with empty books, which lives by the clock that it is given.

Or one for each of several accounts, by the beginning of the URLs that lead to it.
"""
