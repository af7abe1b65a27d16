"""One connection to a gateway: a socket, and TLS over it. Waits only through `Network`.

TLS is done on bytes (`ssl.MemoryBIO`), so that it is the same for threads and for
asyncio, and so that nothing but the bytes of this module ever goes over the socket: a
child process can let go of a connection without a word on it.
"""

import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from contextlib import suppress
from time import monotonic
from typing import Any, Final, Protocol

from kessai.limits import IDLE_SECONDS
from kessai.transport.request import Origin

Address = tuple[socket.AddressFamily, Any]
"""A family, and what a socket of that family connects to."""

PIECE_BYTES: Final = 16_384
"""Read at once: a record of TLS has no more."""


class NotConnected(Exception):
    """No connection came about: nothing of the request was sent."""


class Wire(Protocol):
    """A connected socket, and how to wait for it."""

    socket: socket.socket

    def write(self, data: bytes, seconds: float) -> Awaitable[None]:
        """Write all of `data`, or raise OSError."""
        ...

    def read(self, seconds: float) -> Awaitable[bytes]:
        """Read what is there, at least a byte; nothing at the end; or raise OSError."""
        ...

    def detach(self) -> None:
        """Wait for it no more."""
        ...


class Network:
    """How to wait, and for how long: what differs between threads and asyncio.

    `clock` gives seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._begin = self._end = clock()

    def within(self, seconds: float) -> None:
        """Give all that follows until `seconds` after the sending began."""
        self._end = self._begin + seconds

    def left(self) -> float:
        """How many seconds are left; TimeoutError if none are."""
        left = self._end - self._clock()
        if left <= 0:
            raise TimeoutError
        return left

    async def enter(self, slots: Any) -> None:
        """Wait for a free slot; TimeoutError if there was none in time."""
        raise NotImplementedError

    async def resolve(self, origin: Origin, pool: Executor) -> list[Address]:
        """The addresses of a host, in the system's order, or OSError.

        The system is asked in a thread of `pool`: to ask cannot be broken off.
        """
        raise NotImplementedError

    async def connect(self, opened: socket.socket, where: Any, seconds: float) -> Wire:
        """Connect a socket, or raise OSError."""
        raise NotImplementedError


class Connection:
    """A connected socket, with TLS or without."""

    def __init__(self, wire: Wire, origin: Origin) -> None:
        self.origin = origin
        self._wire = wire
        self._process = os.getpid()
        self._tls: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._ended = False
        self._idle_since = 0.0

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS was agreed on."""
        return self._tls is not None

    async def encrypt(
        self, network: Network, context: ssl.SSLContext, host: str
    ) -> None:
        """Agree on TLS with `host`. What ends the agreement goes out with the request.

        Raises:
            OSError: no agreement, or not in time.

        """
        tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self._wire.write(self._outgoing.read(), network.left())
            data = await self._wire.read(network.left())
            if not data:
                message = "closed before TLS was agreed on"
                raise ConnectionResetError(message)
            self._incoming.write(data)
        self._tls = tls

    def write(self, network: Network, data: bytes) -> Awaitable[None]:
        """Write all of `data`, or raise OSError."""
        if self._tls is not None:
            at = 0
            while at < len(data):  # a record at a time
                at += self._tls.write(memoryview(data)[at:])
            data = self._outgoing.read()
        return self._wire.write(data, network.left())

    def read(self, network: Network) -> Awaitable[bytes]:
        """Read what is there, at least a byte; nothing at the end; or raise OSError."""
        if self._tls is None:
            return self._wire.read(network.left())
        return self._read_encrypted(self._tls, network)

    async def _read_encrypted(self, tls: ssl.SSLObject, network: Network) -> bytes:
        found = b""
        while not found and not self._ended:
            data = await self._wire.read(network.left())
            self._ended = not data
            self._incoming.write(data)
            found = self._decrypted(tls)
        return found

    def _decrypted(self, tls: ssl.SSLObject) -> bytes:
        """What the bytes so far contain of the gateway's text."""
        parts: list[bytes] = []
        while self._incoming.pending or tls.pending():
            try:
                part = tls.read(PIECE_BYTES)
            except ssl.SSLWantReadError:
                break
            if not part:
                self._ended = True
                break
            parts.append(part)
        return b"".join(parts)

    # ── between two requests ────────────────────────────────────────────────────────

    @property
    def is_quiet(self) -> bool:
        """Whether nothing was received beyond what was read."""
        pending = self._tls is not None and self._tls.pending()
        return not (pending or self._incoming.pending or self._ended)

    def rest(self) -> None:
        """Begin to be idle."""
        self._idle_since = monotonic()

    @property
    def is_stale(self) -> bool:
        """Whether it has been idle for so long that the gateway may be closing it."""
        return monotonic() - self._idle_since > IDLE_SECONDS

    @property
    def is_usable(self) -> bool:
        """Whether another request can be sent on it.

        What can be read now was sent by nobody's request, or is the end.
        """
        if self.is_stale:
            return False
        idle = self._wire.socket
        if idle.gettimeout() != 0:
            idle.setblocking(False)
        try:
            idle.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def close(self) -> None:
        """End it; in a child process, let go of the parent's."""
        if self._process == os.getpid():
            self._wire.detach()
            with suppress(OSError):  # it has ended already
                # Also where a child process holds the socket open without knowing it.
                self._wire.socket.shutdown(socket.SHUT_RDWR)
        self._wire.socket.close()


async def connect(
    network: Network,
    origin: Origin,
    resolvers: Executor,
    context: ssl.SSLContext | None,
) -> Connection:
    """A new connection to `origin`; `context` is for TLS, where the origin wants it.

    Raises:
        NotConnected: none came about, or not in time.

    """
    try:
        addresses = await network.resolve(origin, resolvers)
    except (OSError, UnicodeError) as error:
        raise NotConnected(NO_ADDRESS) from error
    connection = await _first(network, origin, addresses)
    if context is None:
        return connection
    try:
        await connection.encrypt(network, context, origin.host)
    except (OSError, ValueError) as error:  # ValueError: a host that has no certificate
        connection.close()
        raise NotConnected(NO_TLS) from error
    except BaseException:
        connection.close()
        raise
    return connection


async def _first(
    network: Network, origin: Origin, addresses: list[Address]
) -> Connection:
    """A connection to the first address that accepts one.

    Each has an equal share of the time left, so that one that is silent leaves some.
    """
    last: OSError | None = None
    for at, address in enumerate(addresses):
        try:
            wire = await _opened(network, address, len(addresses) - at)
        except OSError as error:
            last = error
        else:
            return Connection(wire, origin)
    raise NotConnected(NO_CONNECTION) from last


async def _opened(network: Network, address: Address, share: int) -> Wire:
    family, where = address
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setblocking(False)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return await network.connect(opened, where, network.left() / share)
    except BaseException:
        opened.close()
        raise


def addresses(origin: Origin) -> list[Address]:
    """What the system knows of a host. Blocks, and cannot be broken off."""
    found = socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    return [(family, where) for family, _, _, _, where in found]


NO_ADDRESS: Final = "the host's address was not found"
NO_CONNECTION: Final = "no connection was made"
NO_TLS: Final = "TLS was not agreed on"
