"""Notifications: what a gateway owes the merchant's server, and what became of each.

Owns the queue and the journal. What is in a notification and how it is signed is each
gateway's own; delivering them is `sender`'s work, or the embedding test's.
"""

from collections import deque
from collections.abc import Iterator
from enum import StrEnum
from threading import Event, Lock
from typing import Final, Generic, TypeVar

import attrs

from kessai_adapters.emulators.errors import OutOfPlay

JOURNAL_LENGTH: Final = 1000
"""How many notifications the journal remembers."""

NOBODY: Final = "http://nobody.invalid/"
"""An address that there never is (RFC 2606): what goes there is listed, and not sent."""


@attrs.frozen(kw_only=True)
class Notification:
    """One signed POST, ready to be sent: `body` to `url` with `headers`."""

    id: str
    """The gateway's id of it, which a repetition keeps."""
    name: str
    """What happened, by the gateway's word for it."""
    order: str = ""
    """The order or object that it is about, if it is about one."""
    url: str
    headers: dict[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)


class Delivery(StrEnum):
    """What became of a notification."""

    WAITING = "waiting"
    """Nobody took it, or it is being sent."""

    DELIVERED = "delivered"
    """The merchant's server accepted it."""

    UNDELIVERED = "undelivered"
    """Every attempt failed, or its host is not called."""


AnyNotification = TypeVar("AnyNotification", bound=Notification)


@attrs.define(kw_only=True)
class Posting(Generic[AnyNotification]):
    """A notification as it came, for the first time or again, and what became of it."""

    number: int
    """Counted from 1, a repetition by itself."""
    notification: AnyNotification
    delivery: Delivery = Delivery.WAITING
    attempts: int = 0
    status: int | None = None
    """The merchant's server's last answer, if there was one."""


class Outbox(Generic[AnyNotification]):
    """The notifications not yet taken, oldest first, and a journal of the latest."""

    def __init__(self) -> None:
        self._queue: deque[AnyNotification] = deque()
        self._journal: deque[Posting[AnyNotification]] = deque(maxlen=JOURNAL_LENGTH)
        self._count = 0
        self._lock = Lock()
        self.waiting = Event()
        """Set while there is something to take."""

    def __len__(self) -> int:
        return len(self._queue)

    def __iter__(self) -> Iterator[AnyNotification]:
        with self._lock:
            return iter(tuple(self._queue))

    @property
    def count(self) -> int:
        """How many there were so far, repetitions among them: the latest's number."""
        return self._count

    @property
    def journal(self) -> tuple[Posting[AnyNotification], ...]:
        """The latest notifications, taken or not, as they came."""
        with self._lock:
            return tuple(self._journal)

    def put(self, notification: AnyNotification) -> Posting[AnyNotification]:
        """Queue a notification."""
        with self._lock:
            self._count += 1
            posting = Posting(number=self._count, notification=notification)
            self._journal.append(posting)
            self._queue.append(notification)
            self.waiting.set()
            return posting

    def replay(self, notification_id: str) -> Posting[AnyNotification]:
        """Queue a notification of the journal again, the very same bytes.

        Raises:
            OutOfPlay: the journal has none of this id.

        """
        return self.put(self.find(notification_id).notification)

    def find(self, notification_id: str) -> Posting[AnyNotification]:
        """Return the latest posting of a notification.

        Raises:
            OutOfPlay: the journal has none of this id.

        """
        for posting in reversed(self.journal):
            if posting.notification.id == notification_id:
                return posting
        message = f"no notification {notification_id} among the last {JOURNAL_LENGTH}"
        raise OutOfPlay(message)

    def take(self) -> list[AnyNotification]:
        """Return all queued notifications and forget them."""
        with self._lock:
            notifications = list(self._queue)
            self._queue.clear()
            self.waiting.clear()
            return notifications

    def note(
        self,
        notification: AnyNotification,
        *,
        delivered: bool,
        statuses: list[int | None],
    ) -> None:
        """Write down what became of one: the answer to each attempt, None for none."""
        for posting in self.journal:
            if (
                posting.notification is notification
                and posting.delivery is Delivery.WAITING
            ):
                posting.attempts = len(statuses)
                posting.status = statuses[-1] if statuses else None
                posting.delivery = (
                    Delivery.DELIVERED if delivered else Delivery.UNDELIVERED
                )
                return
