"""What carries an adapter's requests to a gateway, each once.

This module has the contract: `Transport` and `AsyncTransport`. Beside it stands the one
implementation over HTTP (`kessai.HttpTransport`, `kessai.AsyncHttpTransport`):

    request     a `Request` as bytes, or why it cannot be sent
    reply       bytes as a `Reply`, or why they are none
    connection  a socket, and TLS over it
    pool        the idle connections of one process and event loop
    exchange    the way of one request, written once for both transports
    http        both transports: what differs is how they wait

A transport decides one thing: whether a request that got no reply was **surely never
sent**, or **may have been**. It retries nothing: whether a request may be sent again is
decided from evidence. `kessai.testing.check_transport` holds any transport to all this.
"""

from typing import Protocol

from kessai.gateway import Failure, Reply, Request


class Transport(Protocol):
    """What `Engine` sends requests through."""

    def send(self, request: Request) -> Reply | Failure:
        """Send `request` once. Never raises for what the network does."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class AsyncTransport(Protocol):
    """What `AsyncEngine` sends requests through."""

    async def send(self, request: Request) -> Reply | Failure:
        """Send `request` once. Never raises for what the network does."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
