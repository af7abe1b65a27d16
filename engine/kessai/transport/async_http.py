"""`AsyncHttpTransport`: the same for asyncio, on any of its event loops."""

import asyncio
import socket
import ssl
from contextlib import suppress
from typing import Any

from kessai.gateway import Failure, Reply, Request
from kessai.limits import REPLY_SECONDS
from kessai.transport.connection import PIECE_BYTES, Address
from kessai.transport.exchange import Settings, carry
from kessai.transport.http import CONNECTIONS, TimeLeft, addresses
from kessai.transport.pool import Pools
from kessai.transport.request import Origin


class AsyncHttpTransport:
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
        network = _Suspending(loop, pool)
        return await carry(request, network, pool, self._settings)

    async def close(self) -> None:
        """See `AsyncTransport.close`."""
        self._pools.close()


class _Suspending(TimeLeft):
    """Waits in an event loop. See `Network`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, pool: Any) -> None:
        super().__init__(pool.resolvers, loop.time)
        self._loop = loop

    async def enter(self, slots: asyncio.Semaphore) -> None:
        if not slots.locked():  # then nothing is waited for, and a timer costs most
            await slots.acquire()
            return
        async with asyncio.timeout(self._left()):
            await slots.acquire()

    async def resolve(self, origin: Origin) -> list[Address]:
        async with asyncio.timeout(self._left()):
            asked = self._loop.run_in_executor(self._resolvers, addresses, origin)
            return await asked

    async def connect(self, opened: socket.socket, where: Any, share: int) -> None:
        async with asyncio.timeout(self._left() / share):
            await self._loop.sock_connect(opened, where)

    async def write(self, opened: socket.socket, data: bytes) -> None:
        left = self._left()
        with suppress(BlockingIOError):
            data = data[opened.send(data) :]
        if data:
            async with asyncio.timeout(left):
                await self._loop.sock_sendall(opened, data)

    async def read(self, opened: socket.socket) -> bytes:
        async with asyncio.timeout(self._left()):
            return await self._loop.sock_recv(opened, PIECE_BYTES)
