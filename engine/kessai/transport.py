"""The one place that does HTTP. Adapters give bytes; this carries them, once.

Nothing is retried here: whether a request may be sent again is decided from evidence,
not by a transport. Certificates are verified; redirects are not followed, because a
redirect is the gateway's answer.

A reply that comes later than `REPLY_SECONDS` after `send` was called is not given:
nobody counts on it any more. `AsyncHttpTransport` returns by then. `HttpTransport` may
be waiting for one more piece, and returns at most `SILENCE_SECONDS` later.
"""

from time import monotonic
from typing import Any, Protocol

from kessai.errors import AdapterMissing
from kessai.gateway import Failure, Reply, Request
from kessai.limits import CONNECT_SECONDS, REPLY_SECONDS, SILENCE_SECONDS

MAX_REPLY_BYTES = 5_000_000
"""A longer reply counts as none: the outcome is unknown."""


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


class HttpTransport:
    """HTTP by httpx2. `through` is an httpx2 transport used in place of the network."""

    def __init__(self, through: Any = None) -> None:
        httpx2 = http_library()
        self._errors = httpx2
        self._client = httpx2.Client(**_options(httpx2), transport=through)

    def send(self, request: Request) -> Reply | Failure:
        """See `Transport.send`."""
        body = _Body()
        try:
            with self._client.stream(
                request.method,
                request.url,
                headers=list(request.headers),
                content=request.body,
            ) as response:
                for part in response.iter_bytes():
                    if failure := body.add(part):
                        return failure
                return body.late() or _reply(response, body.content)
        except self._errors.HTTPError as error:
            return _failure(self._errors, error)

    def close(self) -> None:
        """See `Transport.close`."""
        self._client.close()


class AsyncHttpTransport:
    """The same for asyncio. `through` is an httpx2 asynchronous transport."""

    def __init__(self, through: Any = None) -> None:
        httpx2 = http_library()
        self._errors = httpx2
        self._client = httpx2.AsyncClient(**_options(httpx2), transport=through)

    async def send(self, request: Request) -> Reply | Failure:
        """See `AsyncTransport.send`."""
        from asyncio import timeout  # 60 ms, and whoever sends here has it already

        body = _Body()
        try:
            async with (
                timeout(REPLY_SECONDS),
                self._client.stream(
                    request.method,
                    request.url,
                    headers=list(request.headers),
                    content=request.body,
                ) as response,
            ):
                async for part in response.aiter_bytes():
                    if failure := body.add(part):
                        return failure
                return body.late() or _reply(response, body.content)
        except self._errors.HTTPError as error:
            return _failure(self._errors, error)
        except TimeoutError:
            return _TOO_SLOW

    async def close(self) -> None:
        """See `AsyncTransport.close`."""
        await self._client.aclose()


class _Body:
    """The body of a reply so far: neither too long nor too slow."""

    def __init__(self) -> None:
        self._parts = bytearray()
        self._until = monotonic() + REPLY_SECONDS

    @property
    def content(self) -> bytes:
        return bytes(self._parts)

    def add(self, part: bytes) -> Failure | None:
        self._parts += part
        if len(self._parts) > MAX_REPLY_BYTES:
            return Failure(sent=True, reason="the answer is too long")
        return self.late()

    def late(self) -> Failure | None:
        return _TOO_SLOW if monotonic() > self._until else None


_TOO_SLOW = Failure(sent=True, reason="the answer came too slowly")


def http_library() -> Any:
    """The HTTP client, imported now.

    Raises:
        AdapterMissing: it is not installed; the message names the extra.

    """
    try:
        import httpx2  # 100 ms, and only who speaks to a gateway needs it
    except ModuleNotFoundError as error:
        message = "HTTP needs the extra 'http': pip install 'kessai[http]'"
        raise AdapterMissing(message) from error
    return httpx2


def _options(httpx2: Any) -> dict[str, Any]:
    timeout = httpx2.Timeout(CONNECT_SECONDS, read=SILENCE_SECONDS)
    return {"timeout": timeout, "follow_redirects": False}


def _reply(response: Any, body: bytes) -> Reply:
    return Reply(
        status=response.status_code,
        headers=tuple(response.headers.multi_items()),
        body=body,
    )


def _failure(httpx2: Any, error: Exception) -> Failure:
    """Only a connection that was never made proves that nothing was sent."""
    never_sent = (
        httpx2.ConnectError,
        httpx2.ConnectTimeout,
        httpx2.PoolTimeout,
        httpx2.UnsupportedProtocol,
    )
    return Failure(sent=not isinstance(error, never_sent), reason=type(error).__name__)
