"""Delivering the notifications of a running server by HTTP, in the background.

Each is tried a few times until the merchant's server accepts it: by 200, if nothing
else is said.
Only listed hosts are called, the loopback by default: a stand-in that runs
on a developer's machine must not call a shop by accident.
"""

import http.client
import ssl
import threading
from collections.abc import Container
from typing import Final
from urllib.parse import urlsplit

import attrs

from kessai_adapters.emulators.base import Closing
from kessai_adapters.emulators.contract import GatewayEmulator
from kessai_adapters.emulators.notifications import Notification

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@attrs.frozen(kw_only=True)
class Patience:
    """How often a notification is tried, and how long is waited, in seconds."""

    attempts: int = 4
    first_pause: float = 0.2
    """Doubled after each further attempt."""
    timeout: float = 10.0
    accepted: Container[object] = frozenset({200})
    """The statuses by which a merchant's server accepts; many gateways take any 2xx."""


class NotificationSender(Closing):
    """Delivers an emulator's notifications until `close`; also a context manager.

    `tls` is the context for a merchant's server on HTTPS, e.g. with a test's authority.
    """

    def __init__(
        self,
        emulator: GatewayEmulator,
        *,
        patience: Patience | None = None,
        hosts: Container[str] = LOOPBACK,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.undelivered: list[Notification] = []
        """Those not delivered: every attempt failed, or the host is not listed."""
        self._emulator = emulator
        self._patience = patience or Patience()
        self._hosts = hosts
        self._tls = tls
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="kessai-emulator-notifications", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Try once what waits, stop, and wait for the thread."""
        self._stop.set()
        self._emulator.outbox.waiting.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._emulator.outbox.waiting.wait()
            self._deliver_all()
        self._deliver_all()

    def _deliver_all(self) -> None:
        for notification in self._emulator.take_notifications():
            statuses = self._deliver(notification)
            delivered = bool(statuses) and statuses[-1] in self._patience.accepted
            if not delivered:
                self.undelivered.append(notification)
            outbox = self._emulator.outbox
            outbox.note(notification, delivered=delivered, statuses=statuses)

    def _deliver(self, notification: Notification) -> list[int | None]:
        """The answer to each attempt, None for none."""
        statuses: list[int | None] = []
        host = urlsplit(notification.url).hostname
        if host is None or host not in self._hosts:
            return statuses
        pause = self._patience.first_pause
        while len(statuses) < self._patience.attempts:
            if statuses:
                if self._stop.wait(pause):
                    break
                pause *= 2
            statuses.append(self._post(notification))
            if statuses[-1] in self._patience.accepted:
                break
        return statuses

    def _post(self, notification: Notification) -> int | None:
        parts = urlsplit(notification.url)
        target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        connection = self._connection(parts.scheme, parts.netloc)
        try:
            connection.request("POST", target, notification.body, notification.headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _connection(self, scheme: str, netloc: str) -> http.client.HTTPConnection:
        host = netloc.rpartition("@")[2]
        timeout = self._patience.timeout
        if scheme == "https":
            return http.client.HTTPSConnection(host, timeout=timeout, context=self._tls)
        return http.client.HTTPConnection(host, timeout=timeout)
