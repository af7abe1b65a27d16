"""What a store holds of each transaction, all sides of it read side by side.

Memory holds a page of a trail, and as many answers. What has more of either is long: it
goes by once, and is read anew where once is not enough.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, groupby, islice
from operator import attrgetter, itemgetter
from typing import Generic, NamedTuple, TypeVar

from kessai.audit.verification.answers import keys_in
from kessai.audit.verification.pages import Pages, StoredPages
from kessai.errors import TrailBroken
from kessai.flow import Reference
from kessai.flow.effects import learned_references
from kessai.machine import Record, Transaction
from kessai.stores import Answered, Store
from kessai.stores.query import PAGE

T = TypeVar("T")

StoredState = Transaction | TrailBroken | None
"""A transaction as the store has it: there, there but unreadable, or missing."""


class StoredTransaction(NamedTuple):
    """What a store holds of one transaction.

    `is_long`: pages and answers are read while they are gone through. `is_passing`: that
    can be done once.
    """

    name: str
    pages: Pages
    stored: StoredState
    answers: Iterable[Answered]
    references: Sequence[Reference]
    is_long: bool = False
    is_passing: bool = False

    @property
    def records(self) -> Iterator[Record]:
        """All records of the trail."""
        return chain.from_iterable(self.pages)


class _StoredAnswers:
    """The answers of a transaction, found anew each time among those of all."""

    def __init__(self, store: Store, transaction: str) -> None:
        self._store = store
        self._transaction = transaction

    def __iter__(self) -> Iterator[Answered]:
        wanted = self._transaction
        return (each for each in self._store.answers() if each.transaction == wanted)


class _Side(Generic[T]):
    """What a store holds in one place: of each id something, sorted by id."""

    def __init__(self, found: Iterator[tuple[str, T]]) -> None:
        self._found = found
        self.name: str | None
        self._there: T | None
        self.go_on()

    def of(self, name: str) -> T | None:
        """What there is of `name`, if that comes next."""
        return self._there if self.name == name else None

    def go_on(self) -> None:
        """Go on to what comes after `name`."""
        self.name, self._there = next(self._found, (None, None))


def side_by_side(store: Store, now: datetime) -> Iterator[StoredTransaction]:
    """Each id that anything is held of; to be looked at before the next one is."""
    trails = _Side(groupby(store.trails(), key=itemgetter(0)))
    states = _Side(_stored_states(store, now))
    answers = _Side(groupby(store.answers(), key=attrgetter("transaction")))
    references = _Side(groupby(store.references(), key=itemgetter(0)))
    sides = trails, states, answers, references
    while names := [side.name for side in sides if side.name is not None]:
        name = min(names)
        trail = (page for _, page in trails.of(name) or ())
        given = iter(answers.of(name) or ())
        pages, few = [*islice(trail, 2)], [*islice(given, PAGE + 1)]
        is_long = len(pages) > 1 or len(few) > PAGE
        yield StoredTransaction(
            name,
            chain(pages, trail) if is_long else pages,
            states.of(name),
            chain(few, given) if is_long else few,
            [reference for _, reference in references.of(name) or ()],
            is_long,
            is_passing=is_long,
        )
        for side in sides:
            if side.name == name:
                side.go_on()


def _stored_states(
    store: Store, now: datetime
) -> Iterator[tuple[str, Transaction | TrailBroken]]:
    transactions = iter(store.transactions(now))
    while True:
        try:
            transaction = next(transactions)
        except StopIteration:
            return
        except TrailBroken as error:
            yield error.transaction or "", error
        else:
            yield transaction.id, transaction


def read_again(store: Store, found: StoredTransaction) -> StoredTransaction:
    """The same, its state read before all else, in a form that can be gone through twice.

    Nothing has come between where the state is `stored_state` afterwards, too. (One that
    contradicts itself stays as it was found: no writer leaves that.)
    """
    name, stored = found.name, found.stored
    if not isinstance(stored, TrailBroken):
        stored = stored_state(store, name)
    again = found._replace(
        stored=stored,
        references=_references(store, found, stored),
        is_passing=False,
    )
    if found.is_long:
        return again._replace(
            pages=StoredPages(store, name), answers=_StoredAnswers(store, name)
        )
    return read_whole(store, again)


def read_whole(store: Store, found: StoredTransaction) -> StoredTransaction:
    """The same with all records and answers in memory, however long the trail."""
    records = store.records(found.name)
    return found._replace(
        pages=[records] if records else (),
        answers=_answers(store, found.name, [*found.answers], records),
        is_long=False,
    )


def stored_state(store: Store, name: str) -> StoredState:
    """The transaction as it is now."""
    try:
        return store.load(None, name, None).transaction
    except TrailBroken as error:
        return error


def _answers(
    store: Store, name: str, found: Sequence[Answered], records: Sequence[Record]
) -> Sequence[Answered]:
    """The answers that are now under the keys in answers or records."""
    # No writer leaves an answer that contradicts itself: it is as it was found.
    unreadable = {a.key: a for a in found if a.read() is None}
    keys = {*(answered.key for answered in found), *keys_in(records)}
    read = [_answer(store, name, key) for key in sorted(keys - {*unreadable})]
    return [*unreadable.values(), *(a for a in read if a is not None)]


def _answer(store: Store, name: str, key: str) -> Answered | None:
    try:
        recorded = store.load(key, name, None).recorded
    except TrailBroken:
        return Answered(name, key, "", b"")
    if recorded is None or recorded.transaction != name:
        return None
    return (
        Answered.of(recorded) if recorded.key == key else Answered(name, key, "", b"")
    )


def _references(
    store: Store, found: StoredTransaction, stored: StoredState
) -> Sequence[Reference]:
    """The ids by which it is found now, among those that it was found by or has."""
    known = {*found.references}
    if isinstance(stored, Transaction):
        known |= {*learned_references({}, stored)}
    return [r for r in known if found.name in store.find(r.account, r.kind, r.id)]
