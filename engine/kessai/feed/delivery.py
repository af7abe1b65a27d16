"""What becomes of an event that was sent, or not, to a subscriber: the rules, and no I/O.

An event that fails waits, and so do the later ones of its transaction behind it; those
of other transactions go on. It is sent again after pauses that grow, and is a dead
letter after the last: then the later ones go on without it. What is replayed, a dead
letter or one that waits, is due at once and waits like any other.

    order-1: event 4 fails, waits 5 s; event 5 waits behind it     order-2: all delivered
    order-1: event 4 has failed ten times, is a dead letter; event 5 is sent
"""

from collections.abc import Container, Iterable
from datetime import datetime

import msgspec

from kessai.feed.event import FeedEvent
from kessai.flow import Subscriber, Undelivered
from kessai.limits import MOST_WAITING, WEBHOOK_PAUSES


def holds(subscriber: Subscriber, transaction: str) -> bool:
    """Whether an event of the transaction waits, so that later ones wait behind it."""
    return any(each.transaction == transaction for each in waiting(subscriber))


def waiting(subscriber: Subscriber) -> list[Undelivered]:
    """What will be sent again, in the order of its transactions' events."""
    found = [each for each in subscriber.undelivered if not each.is_dead]
    return sorted(found, key=lambda each: each.number)


def dead(subscriber: Subscriber) -> list[Undelivered]:
    """The dead letters."""
    return [each for each in subscriber.undelivered if each.is_dead]


def is_full(subscriber: Subscriber) -> bool:
    """Whether so much waits that no more is read: its endpoint is in trouble itself."""
    return len(waiting(subscriber)) >= MOST_WAITING


def due(subscriber: Subscriber, now: datetime) -> Undelivered | None:
    """What is to be sent next: of each transaction the first one, if its pause is over."""
    first: dict[str, Undelivered] = {}
    for each in waiting(subscriber):
        first.setdefault(each.transaction, each)
    found = [each for each in first.values() if each.due_at and each.due_at <= now]
    return min(found, key=lambda each: (each.due_at, each.number), default=None)


def behind(event: FeedEvent, now: datetime) -> Undelivered:
    """An event that waits behind an earlier one of its transaction."""
    return Undelivered(
        position=event.position,
        transaction=event.transaction,
        number=event.number,
        id=event.id,
        due_at=now,
    )


def failed(tried: Undelivered, now: datetime, reason: str) -> Undelivered:
    """What failed once more: when it is sent again, if it is."""
    attempts = tried.attempts + 1
    again = attempts <= len(WEBHOOK_PAUSES)
    return msgspec.structs.replace(
        tried,
        attempts=attempts,
        reason=reason,
        due_at=now + WEBHOOK_PAUSES[attempts - 1] if again else None,
    )


def replayed(subscriber: Subscriber, ids: Container[str], now: datetime) -> Subscriber:
    """One version later, its events of these ids to be sent as if never tried."""
    found = [each for each in subscriber.undelivered if each.id in ids]
    anew = [msgspec.structs.replace(e, attempts=0, due_at=now) for e in found]
    return replaced(subscriber, found, anew)


def replaced(
    subscriber: Subscriber,
    gone: Iterable[Undelivered],
    new: Iterable[Undelivered] = (),
    position: str | None = None,
) -> Subscriber:
    """One version later, at `position`, with `new` in the place of what is `gone`."""
    ids = {each.id for each in gone}
    kept = [each for each in subscriber.undelivered if each.id not in ids]
    return subscriber.moved(
        position=subscriber.position if position is None else position,
        undelivered=(*kept, *new),
    )
