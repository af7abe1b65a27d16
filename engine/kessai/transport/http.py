"""`HttpTransport`: HTTP/1.1 for threads, on the standard library's sockets.

One deadline holds over all of a request: the wait for a free connection, the name, the
connection, TLS, writing, and the reply to its last byte. A request goes out raw: no
cookie, no proxy of the environment, no redirect, no decompression.
"""

import socket
import ssl
from collections.abc import Coroutine
from concurrent.futures import Executor
from contextlib import suppress
from threading import Semaphore
from time import monotonic
from typing import Any, TypeVar

from kessai.closable import Closable
from kessai.gateway import Failure, Reply, Request
from kessai.limits import REPLY_SECONDS
from kessai.transport.connection import PIECE_BYTES, Address, Network, Wire, addresses
from kessai.transport.exchange import CONNECTIONS, Settings, carry
from kessai.transport.pool import Pools
from kessai.transport.request import Origin

T = TypeVar("T")


class HttpTransport(Closable):
    """HTTP for `Engine`; threads may share it, and a child process may go on with it.

    Certificates are always verified. `tls` is a context with an authority of one's own,
    or with a client certificate (`context.load_cert_chain`); without it the system's
    authorities are trusted. `seconds` is the deadline of a request; `connections` is how
    many may be in use at once.

    Raises:
        InvalidInput: `tls` does not verify certificates, or a number is out of range.

    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        seconds: float = REPLY_SECONDS,
        connections: int = CONNECTIONS,
    ) -> None:
        self._settings = Settings(tls, seconds, connections)
        self._pools = Pools(lambda: Semaphore(connections))

    def send(self, request: Request) -> Reply | Failure:
        """See `Transport.send`."""
        pool = self._pools.of()
        return _run(carry(request, _Blocking(monotonic), pool, self._settings))

    def close(self) -> None:
        """See `Transport.close`."""
        self._pools.close()


def _run(coroutine: Coroutine[Any, None, T]) -> T:
    """The result of a coroutine that never suspends."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError(coroutine)


class _Blocking(Network):
    """Waits in its thread. See `Network`."""

    async def enter(self, slots: Semaphore) -> None:
        if not slots.acquire(timeout=self.left()):
            raise TimeoutError

    async def resolve(self, origin: Origin, pool: Executor) -> list[Address]:
        asked = pool.submit(addresses, origin)
        try:
            return asked.result(self.left())
        finally:
            asked.cancel()

    async def connect(self, opened: socket.socket, where: Any, seconds: float) -> Wire:
        opened.settimeout(seconds)
        opened.connect(where)
        return _BlockingWire(opened)


class _BlockingWire:
    """A socket that the thread waits for. See `Wire`."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected

    async def write(self, data: bytes, seconds: float) -> None:
        if self.socket.gettimeout() == 0:  # it was idle: mostly there is room
            with suppress(BlockingIOError):
                data = data[self.socket.send(data) :]
        if data:
            self.socket.settimeout(seconds)
            self.socket.sendall(data)

    async def read(self, seconds: float) -> bytes:
        self.socket.settimeout(seconds)
        return self.socket.recv(PIECE_BYTES)

    def detach(self) -> None:
        """Nobody waits for it."""
