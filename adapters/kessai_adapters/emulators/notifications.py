"""Notifications: what a gateway owes the merchant's server, and those not yet taken.

Owns the queue. What is in a notification and how it is signed is each gateway's own;
delivering them is `sender`'s work, or the embedding test's.
"""

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

import attrs


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


AnyNotification = TypeVar("AnyNotification", bound=Notification)


class Outbox(Generic[AnyNotification]):
    """The notifications not yet taken, oldest first."""

    def __init__(self) -> None:
        self._notifications: deque[AnyNotification] = deque()
        self.waiting = threading.Event()
        """Set while there is something to take."""

    def __len__(self) -> int:
        return len(self._notifications)

    def __iter__(self) -> Iterator[AnyNotification]:
        return iter(self._notifications)

    def put(self, notification: AnyNotification) -> None:
        """Queue a notification."""
        self._notifications.append(notification)
        self.waiting.set()

    def take(self) -> list[AnyNotification]:
        """Return all queued notifications and forget them."""
        notifications = list(self._notifications)
        self._notifications.clear()
        self.waiting.clear()
        return notifications
