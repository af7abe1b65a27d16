"""How far a subscriber is, and for how long the feed holds an event back."""

from datetime import datetime, timedelta

from kessai.errors import VersionConflict
from kessai.flow import (
    Advance,
    FindSubscriber,
    Flow,
    HeldBack,
    Now,
    Subscriber,
)
from kessai.machine import Record, read_record
from kessai.machine.chain import is_whole
from kessai.machine.forgotten import without_texts


def subscribed(name: str) -> Flow[Subscriber]:
    """How far the subscriber of that name is."""
    found: Subscriber = yield FindSubscriber(name)
    return found


def pass_over(
    subscriber: Subscriber, position: str
) -> Flow[Subscriber | VersionConflict]:
    """Write that `subscriber` is past `position`; how far it is then.

    That another process carries it on is a result, not an error: of two workers that
    follow, one loses each race, and nobody needs to read that in a log.
    """
    moved = subscriber.moved(position=position)
    try:
        yield Advance(moved)
    except VersionConflict as error:
        return error
    return moved


def passed(outcome: Subscriber | VersionConflict) -> Subscriber:
    """How far the subscriber is, of what `pass_over` gave.

    Raises:
        VersionConflict: another process carries it on.

    """
    if isinstance(outcome, VersionConflict):
        raise outcome
    return outcome


def lag() -> Flow[timedelta]:
    """For how long the first event that is stored has not been given."""
    first: Record | None = yield HeldBack()
    now: datetime = yield Now()
    return waited(first, now)


def waited(first: Record | None, now: datetime) -> timedelta:
    """For how long the first event that is held back waits at `now`."""
    if first is None:
        return timedelta(0)
    left = None if is_whole(first) else without_texts(first.body).digest
    return max(now - read_record(first, None, left).event.at, timedelta(0))
