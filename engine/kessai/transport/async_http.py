"""`AsyncHttpTransport`: the same for asyncio, on any of its event loops."""

import asyncio
import socket
import ssl
from concurrent.futures import Executor
from contextlib import suppress
from typing import Any

from kessai.closable import AsyncClosable
from kessai.gateway import Failure, Reply, Request
from kessai.limits import REPLY_SECONDS
from kessai.transport.connection import PIECE_BYTES, Address, Network, Wire, addresses
from kessai.transport.exchange import CONNECTIONS, Settings, carry
from kessai.transport.pool import Pools
from kessai.transport.request import Origin


class AsyncHttpTransport(AsyncClosable):
    """HTTP for `AsyncEngine`, with the same parameters as `HttpTransport`.

    One may be used in several event loops. A cancelled task ends its connection.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        seconds: float = REPLY_SECONDS,
        connections: int = CONNECTIONS,
    ) -> None:
        self._settings = Settings(tls, seconds, connections)
        self._pools = Pools(lambda: asyncio.Semaphore(connections))

    async def send(self, request: Request) -> Reply | Failure:
        """See `AsyncTransport.send`."""
        loop = asyncio.get_running_loop()
        pool = self._pools.of(loop)
        return await carry(request, _Suspending(loop), pool, self._settings)

    async def close(self) -> None:
        """See `AsyncTransport.close`. Each event loop that is open closes its own."""
        self._pools.close(asyncio.get_running_loop())


class _Suspending(Network):
    """Waits in an event loop. See `Network`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop.time)
        self._loop = loop

    async def enter(self, slots: asyncio.Semaphore) -> None:
        if not slots.locked():  # then nothing is waited for, and a timer costs most
            await slots.acquire()
            return
        async with asyncio.timeout(self.left()):
            await slots.acquire()

    async def resolve(self, origin: Origin, pool: Executor) -> list[Address]:
        async with asyncio.timeout(self.left()):
            return await self._loop.run_in_executor(pool, addresses, origin)

    async def connect(self, opened: socket.socket, where: Any, seconds: float) -> Wire:
        async with asyncio.timeout(seconds):
            await self._loop.sock_connect(opened, where)
        return _SuspendingWire(opened, self._loop)


class _SuspendingWire:
    """A socket that an event loop waits for. See `Wire`.

    The loop hears of it as long as it is open: to ask it anew for each reply costs more
    than to read the reply. What nobody waits for is left in the socket.
    """

    def __init__(
        self, connected: socket.socket, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.socket = connected
        self._loop = loop
        self._waiting: asyncio.Future[bytes] | None = None
        self._is_heard = False
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def write(self, data: bytes, seconds: float) -> None:
        with suppress(BlockingIOError):
            data = data[self.socket.send(data) :]
        if data:
            async with asyncio.timeout(seconds):
                await self._loop.sock_sendall(self.socket, data)

    async def read(self, seconds: float) -> bytes:
        if not self._is_heard:
            try:
                self._loop.add_reader(self.socket, self._arrived)
            except NotImplementedError:  # the default loop of Windows
                return await self._read_once(seconds)
            self._is_heard = True
        self._until = self._loop.time() + seconds
        if self._timer is None:
            self._timer = self._loop.call_at(self._until, self._check)
        self._waiting = self._loop.create_future()
        try:
            return await self._waiting
        finally:
            self._waiting = None

    async def _read_once(self, seconds: float) -> bytes:
        async with asyncio.timeout(seconds):
            return await self._loop.sock_recv(self.socket, PIECE_BYTES)

    def _arrived(self) -> None:
        waiting = self._waiting
        if waiting is None or waiting.done():
            self._loop.remove_reader(self.socket)
            self._is_heard = False
            return
        try:
            waiting.set_result(self.socket.recv(PIECE_BYTES))
        except BlockingIOError:
            pass  # it was nothing
        except OSError as error:
            waiting.set_exception(error)

    def _check(self) -> None:
        """The time of some reading is over: of this one, or of one that has ended."""
        self._timer = None
        waiting = self._waiting
        if waiting is None or waiting.done():
            return
        if self._until > self._loop.time():
            self._timer = self._loop.call_at(self._until, self._check)
        else:
            waiting.set_exception(TimeoutError())

    def detach(self) -> None:
        """The event loop hears of it no more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._is_heard and not self._loop.is_closed():
            self._loop.remove_reader(self.socket)
