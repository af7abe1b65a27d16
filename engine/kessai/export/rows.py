"""The rows of each export, transaction by transaction, in the order of their ids."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import attrs

from kessai.audit.verification.replay import Library, ReplayBroken, replay
from kessai.errors import StoreBusy, TrailBroken
from kessai.export.movements import movements_of
from kessai.feed.event import FeedEvent, shown
from kessai.machine.chain import AppliedEvent, is_removed
from kessai.stores import Store
from kessai.zones import Period

Row = Mapping[str, Any]


@attrs.frozen
class Rows:
    """An export: its columns, those that hold whole numbers, and its rows as read."""

    columns: Sequence[str]
    numbers: Container[str]
    rows: Iterator[Row]


_MOVEMENTS = (
    *("at", "transaction", "event", "account", "lifecycle", "agreement", "command"),
    *("deadline", "amount_name", "amount_title", "change", "balance"),
    *("currency", "shown"),
    *("source", "code", "exchange", "reported_at"),
)
_EVENTS = (
    *("at", "transaction", "event", "kind", "account", "lifecycle", "agreement"),
    "operation",
    *("command", "amount", "currency", "shown", "outcome", "reasons", "deadline"),
    *("source", "code", "exchange", "reported_at", "status", "hash"),
)
_AS_IN_THE_FEED = (
    *("kind", "operation", "command", "amount", "shown", "outcome", "deadline"),
    "status",
)
_TRANSACTIONS = (
    *("opened_at", "last_at", "transaction", "account", "lifecycle", "agreement"),
    "status",
    *("open_operations", "open_discrepancies", "events", "currency"),
)


def movements(store: Store, period: Period, language: str) -> Rows:
    """A row for each lasting change of an amount, with the amount after it."""
    rows = _of_steps(store, period, language, _movements)
    return Rows(_MOVEMENTS, {"event", "change", "balance"}, rows)


def events(store: Store, period: Period, language: str) -> Rows:
    """A row for each event."""
    rows = _of_steps(store, period, language, _event)
    return Rows(_EVENTS, {"event", "amount"}, rows)


def transactions(store: Store, period: Period, language: str) -> Rows:
    """A row for each transaction opened in the period, as its last event left it.

    Each amount that any of them has is a column, so the store is read twice.
    """
    del language
    names = dict.fromkeys(n for one in store.transactions() for n in one.amounts)
    numbers = {"open_operations", "open_discrepancies", "events", *names}
    rows = _transactions(store, period, names)
    return Rows((*_TRANSACTIONS, *names), numbers, rows)


EXPORTS: Mapping[str, Callable[[Store, Period, str], Rows]] = {
    "transactions": transactions,
    "events": events,
    "movements": movements,
}


def _trails(store: Store) -> Iterator[list[AppliedEvent]]:
    """Each trail, replayed.

    Raises:
        TrailBroken: one does not hold; `kessai audit verify` lists all of them.

    """
    library = Library(store)
    for name, pages in groupby(store.trails(), key=itemgetter(0)):
        records = [record for _, page in pages for record in page]
        if is_removed(records):
            continue
        try:
            yield list(replay(library, name, [records]))
        except ReplayBroken as broken:
            message = f"{name}: event {broken.number}: {broken.code} {broken.detail}"
            raise TrailBroken(message.rstrip()) from broken


def _of_steps(
    store: Store,
    period: Period,
    language: str,
    rows: Callable[[AppliedEvent, str], Iterator[Row]],
) -> Iterator[Row]:
    for steps in _trails(store):
        for step in steps:
            if period.has(step.event.at):
                about = _about(step, period)
                yield from ({**about, **row} for row in rows(step, language))


def _about(step: AppliedEvent, period: Period) -> Row:
    """The cells that every event has."""
    after, evidence = step.after, getattr(step.event, "evidence", None)
    about = {
        "at": period.local(step.event.at),
        "transaction": after.id,
        "event": step.number,
        "account": after.account,
        "lifecycle": after.lifecycle,
        "agreement": after.agreement,
        "currency": after.currency,
    }
    if evidence is None:
        return about
    return about | {
        "source": evidence.source.value,
        "code": evidence.code,
        "exchange": evidence.exchange,
        "reported_at": period.local(evidence.reported_at),
    }


def _movements(step: AppliedEvent, language: str) -> Iterator[Row]:
    for movement in movements_of(step):
        yield {
            "command": movement.command,
            "deadline": movement.deadline,
            "amount_name": movement.name,
            "amount_title": movement.title.in_language(language),
            "change": movement.change,
            "balance": movement.balance,
            "shown": shown(step, movement.change),
        }


def _event(step: AppliedEvent, _language: str) -> Iterator[Row]:
    event = FeedEvent.of(step)
    reasons = " ".join(event.reasons)
    if event.closes and not reasons:
        reasons = f"event {' '.join(map(str, event.closes))}"
    yield {
        **{name: getattr(event, name) for name in _AS_IN_THE_FEED},
        "hash": event.id,
        "reasons": reasons or None,
    }


def _transactions(
    store: Store, period: Period, names: Mapping[str, object]
) -> Iterator[Row]:
    for steps in _trails(store):
        opened = next((s.event.at for s in steps if s.after.exists), None)
        if opened is None or not period.has(opened):
            continue
        last = steps[-1].after
        if not last.amounts.keys() <= names.keys():
            message = f"{last.id}: came while the store was read; export again"
            raise StoreBusy(message)
        yield {
            "opened_at": period.local(opened),
            "last_at": period.local(steps[-1].event.at),
            "transaction": last.id,
            "account": last.account,
            "lifecycle": last.lifecycle,
            "agreement": last.agreement,
            "status": last.status,
            "open_operations": len(last.operations),
            "open_discrepancies": len(last.discrepancies),
            "events": last.version,
            "currency": last.currency,
            **last.amounts,
        }
