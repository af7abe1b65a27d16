"""A search over a store's transactions: what is asked, what is found, where it goes on.

Stores narrow a search by their indexes. `Search.matches` alone says what it means.
"""

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import attrs
import msgspec

from kessai.errors import InvalidInput
from kessai.given import check_fields
from kessai.ids import is_id
from kessai.machine import Transaction
from kessai.money import is_amount

MOST_FOUND = 1_000
"""How many transactions one search gives at most; its cursor leads to the next."""

Position = tuple[datetime, str]
"""Where a transaction stands in the order of a search: its time, then its id."""

By = Literal["changed", "opened"]


@attrs.frozen
class AmountBounds:
    """One of a lifecycle's amounts (`captured`, say), in minor units of `currency`.

    Both ends belong to it; None is no bound.

    Raises:
        InvalidInput: a bound is no whole number of minor units, or above the other one.

    """

    name: str
    currency: str
    minimum: int | None = None
    maximum: int | None = None

    def __attrs_post_init__(self) -> None:
        """See that it can be asked."""
        bounds = [b for b in (self.minimum, self.maximum) if b is not None]
        if not all(map(is_amount, bounds)) or bounds != sorted(bounds):
            message = f"amount: {self.name} must lie between whole numbers, lower first"
            raise InvalidInput(message)
        check_fields(self)

    def has(self, transaction: Transaction) -> bool:
        """Whether the amount of `transaction` lies in it."""
        amount = transaction.amounts.get(self.name)
        return (
            amount is not None
            and transaction.currency == self.currency
            and (self.minimum is None or self.minimum <= amount)
            and (self.maximum is None or amount <= self.maximum)
        )


def _are_texts(given: Any) -> bool:
    is_one = isinstance(given, str) or not isinstance(given, Collection)
    return not is_one and all(isinstance(each, str) for each in given)


def _several(states: Sequence[str]) -> tuple[str, ...]:
    if not _are_texts(states):
        message = "states: a list of texts is right, such as ['captured']"
        raise InvalidInput(message)
    return tuple(states)


@attrs.frozen(kw_only=True)
class Search:
    """Which transactions are looked for, and in which order. All that is given must hold.

    `states` are such as `captured` or `payment.captured`: one of them is enough. `by` is
    the time that `since` (included) and `until` (excluded), aware datetimes, are about
    and that the result is sorted by: that of the last change (a denial is none), or of
    the opening. `reference` is an id that the gateway gave, under any name or that of
    `reference_kind`. `prefix` is how the transaction's id begins. `limit` is at most
    1,000; `after` is the cursor of the result before.

    While results are read one after another, new transactions shift nothing. But one
    that changes meanwhile moves in the order of changes: to go through all, sort by
    the opening.

    Its cost does not grow with the store, but for `amount`, which is looked at in each
    transaction of the period, and for `prefix`, by how many begin so.

    Raises:
        InvalidInput: a value is not of its kind, or no time lies between; the message
            names the field.

    """

    states: Sequence[str] = attrs.field(default=(), converter=_several)
    lifecycle: str | None = None
    account: str | None = None
    by: By = "changed"
    since: datetime | None = None
    until: datetime | None = None
    is_open: bool = False
    is_discrepant: bool = False
    reference: str | None = None
    reference_kind: str | None = None
    prefix: str | None = None
    amount: AmountBounds | None = None
    newest_first: bool = True
    limit: int = 50
    after: str | None = None

    def __attrs_post_init__(self) -> None:
        """See that it can be asked."""
        check_fields(self)
        for problem in self._problems():
            raise InvalidInput(problem)

    def _problems(self) -> Iterator[str]:
        yield from self._time_problems()
        for name in ("reference", "reference_kind", "prefix"):
            text = getattr(self, name)
            if text is not None and not is_id(text):
                yield f"{name}: must be 1 to 255 characters in one line"
        if self.reference_kind is not None and self.reference is None:
            yield "reference_kind: give the reference, too"
        if not 1 <= self.limit <= MOST_FOUND:
            yield f"limit: must be 1 to {MOST_FOUND:,}"
        if self.after is not None and self.position is None:
            yield "after: not the cursor of a search in this order"

    def _time_problems(self) -> Iterator[str]:
        if self.by not in get_args(By):
            yield f"by: {self.by!r} is not one of {', '.join(get_args(By))}"
        for name in ("since", "until"):
            at = getattr(self, name)
            if at is not None and at.tzinfo is None:
                yield f"{name}: has no zone; give an aware datetime"
                return
        if self.since and self.until and self.since >= self.until:
            yield "until: not after since, so nothing lies between"

    @property
    def position(self) -> Position | None:
        """Where `after` leads, what stands there excluded; None for the beginning."""
        text = self.after or ""
        try:
            raw = b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
            by, newest_first, at, name = msgspec.json.decode(
                raw, type=tuple[str, bool, datetime, str]
            )
        except (ValueError, msgspec.MsgspecError):
            return None
        is_own = (by, newest_first) == (self.by, self.newest_first)
        return (at, name) if is_own and at.tzinfo and is_id(name) else None

    def of(self, transaction: Transaction) -> Position:
        """Where `transaction`, which was opened, stands in the order."""
        by_change = self.by == "changed"
        at = transaction.changed_at if by_change else transaction.opened_at
        return at or datetime.min.replace(tzinfo=UTC), transaction.id

    def has_group(self, account: str, lifecycle: str, status: str) -> bool:
        """Whether transactions of this account, lifecycle and status may match."""
        return (
            self.account in {None, account}
            and self.lifecycle in {None, lifecycle}
            and (not self.states or not state_names(status).isdisjoint(self.states))
        )

    def matches(self, transaction: Transaction) -> bool:
        """Whether `transaction` is looked for."""
        group = transaction.account, transaction.lifecycle, transaction.status
        return (
            transaction.opened_at is not None
            and self.has_group(*group)
            and self._is_in_period(self.of(transaction)[0])
            and (not self.is_open or bool(transaction.operations))
            and (not self.is_discrepant or bool(transaction.discrepancies))
            and self._is_referred_to(transaction)
            and transaction.id.startswith(self.prefix or "")
            and (self.amount is None or self.amount.has(transaction))
        )

    def is_next(self, transaction: Transaction) -> bool:
        """Whether `transaction` comes after `position`."""
        position, own = self.position, self.of(transaction)
        if position is None:
            return True
        return own < position if self.newest_first else own > position

    def _is_in_period(self, at: datetime) -> bool:
        return (self.since is None or self.since <= at) and (
            self.until is None or at < self.until
        )

    def _is_referred_to(self, transaction: Transaction) -> bool:
        if self.reference is None:
            return True
        known = transaction.references
        if self.reference_kind is not None:
            return known.get(self.reference_kind) == self.reference
        return self.reference in known.values()

    def result(self, found: Iterable[Transaction]) -> "SearchResult":
        """The result, of all that match and come next, or of the first of them.

        They come in any order, and one more than `limit` if there are more.
        """
        placed = sorted(found, key=self.of, reverse=self.newest_first)
        kept, rest = placed[: self.limit], placed[self.limit :]
        return SearchResult(tuple(kept), self._cursor(kept[-1]) if rest else None)

    def _cursor(self, last: Transaction) -> str:
        raw = msgspec.json.encode((self.by, self.newest_first, *self.of(last)))
        return urlsafe_b64encode(raw).decode().rstrip("=")


class SearchResult(msgspec.Struct, frozen=True):
    """What a search found, in its order.

    With `cursor` as its `after`, the same search goes on; None if that was all.
    """

    transactions: tuple[Transaction, ...]
    cursor: str | None


def state_names(status: str) -> frozenset[str]:
    """The names of the states in a `Transaction.status`, with their tracks and without."""
    tracks = status.split()
    return frozenset({*tracks, *(each.rpartition(".")[2] for each in tracks)})
