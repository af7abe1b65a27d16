"""The way of one request to its reply, once for both transports.

It is a coroutine. What it waits for, it awaits of a `Network`: that of `HttpTransport`
never suspends, so that the coroutine runs through at once.

A request was **surely never sent** as long as `_connected` has not given a connection,
whatever went wrong. From then on it **may have been**, even if writing failed: bytes
that the system took may have left. TLS 1.3 refuses a client's certificate only then.
Nothing is tried a second time, on no connection.
"""

import ssl
from functools import cached_property
from typing import Final

from kessai.errors import InvalidInput
from kessai.gateway import Failure, Reply, Request
from kessai.limits import CONNECT_SECONDS, REPLY_SECONDS
from kessai.transport.connection import Connection, Network, NotConnected, connect
from kessai.transport.pool import Pool
from kessai.transport.reply import BROKEN_OFF, BrokenReply, ReplyParser
from kessai.transport.request import MalformedRequest, Origin, encode

CONNECTIONS: Final = 100
"""Requests under way at once; a further one waits for one of them to end."""


class Settings:
    """What is the same for all requests of a transport."""

    def __init__(
        self, tls: ssl.SSLContext | None, seconds: float, connections: int
    ) -> None:
        if not 0 < seconds <= REPLY_SECONDS:
            message = f"seconds: {seconds} is not above 0 and up to {REPLY_SECONDS:g}"
            raise InvalidInput(message)
        if connections < 1:
            message = f"connections: {connections} is not 1 or more"
            raise InvalidInput(message)
        if tls is not None and not _verifies(tls):
            message = "tls: the context does not verify certificates and host names"
            raise InvalidInput(message)
        self.seconds = seconds
        self.connections = connections
        self._given = tls

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """The context of connections with TLS: the one given, or the system's."""
        if self._given is not None:
            return self._given
        context = ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        return context


def _verifies(context: ssl.SSLContext) -> bool:
    return context.check_hostname and context.verify_mode == ssl.CERT_REQUIRED


async def carry(
    request: Request, network: Network, pool: Pool, settings: Settings
) -> Reply | Failure:
    """Send `request` once; what came of it."""
    try:
        origin, data = encode(request)
    except MalformedRequest as error:
        return Failure(sent=False, reason=str(error))
    network.within(min(CONNECT_SECONDS, settings.seconds))
    try:
        await network.enter(pool.slots)
    except TimeoutError:
        return Failure(sent=False, reason=NO_FREE_CONNECTION)
    try:
        connection = await _connected(origin, network, pool, settings)
        network.within(settings.seconds)
        parser = ReplyParser(is_head=request.method == "HEAD")
        return await _answered(data, parser, connection, network, pool)
    except NotConnected as error:
        return Failure(sent=False, reason=str(error))
    finally:
        pool.slots.release()


async def _connected(
    origin: Origin, network: Network, pool: Pool, settings: Settings
) -> Connection:
    idle = pool.take(origin)
    if idle is not None:
        return idle
    return await connect(
        network, origin, pool.resolvers, settings.tls if origin.tls else None
    )


async def _answered(
    data: bytes,
    parser: ReplyParser,
    connection: Connection,
    network: Network,
    pool: Pool,
) -> Reply | Failure:
    """Write the request, read its reply, and keep the connection where it may go on."""
    try:
        await connection.write(network, data)
        await _read(parser, connection, network)
        return parser.reply()
    except BrokenReply as error:
        return Failure(sent=True, reason=str(error))
    except TimeoutError:
        return Failure(sent=True, reason=TOO_SLOW)
    except OSError:
        return Failure(sent=True, reason=BROKEN_OFF)
    finally:
        if parser.reusable and connection.is_quiet:
            pool.give(connection)
        else:
            connection.close()


async def _read(parser: ReplyParser, connection: Connection, network: Network) -> None:
    while not parser.complete:
        if data := await connection.read(network):
            parser.feed(data)
        else:
            parser.end(is_encrypted=connection.is_encrypted)


NO_FREE_CONNECTION: Final = "no connection was free in time"
TOO_SLOW: Final = "the reply came too slowly"
