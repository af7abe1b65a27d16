"""What a case works with: servers, and the transport on trial. All closed at its end."""
# ruff: noqa: S101 - asserting is what a kit is for

import asyncio
import inspect
import ssl
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, Protocol

import attrs

from kessai.gateway import Failure, Reply, Request
from kessai.testing.transport_kit.certificates import certificates
from kessai.testing.transport_kit.server import Script, ScriptedServer
from kessai.testing.transport_kit.waits import USUAL_SECONDS
from kessai.transport import AsyncTransport, Transport


class MakeTransport(Protocol):
    """Makes the transport on trial."""

    def __call__(
        self, *, tls: ssl.SSLContext | None, seconds: float, connections: int
    ) -> Transport | AsyncTransport:
        """A new one, with a context to trust and its limits."""
        ...


class Sender:
    """The transport on trial, of either kind; `is_async` says which."""

    def __init__(self, transport: Transport | AsyncTransport) -> None:
        self.transport: Any = transport
        self.is_async = inspect.iscoroutinefunction(transport.send)
        self._runner = asyncio.Runner() if self.is_async else None

    def send(self, request: Request) -> Reply | Failure:
        """What came of a request."""
        found: Reply | Failure = self.run(self.transport.send(request))
        return found

    def send_all(self, requests: Iterable[Request]) -> list[Reply | Failure]:
        """What came of requests that were sent at once."""
        if self.is_async:

            async def all_of_them() -> list[Reply | Failure]:
                """Send in as many tasks."""
                sent = map(self.transport.send, requests)
                found: list[Reply | Failure] = await asyncio.gather(*sent)
                return found

            return list(self.run(all_of_them()))
        several = list(requests)
        with ThreadPoolExecutor(len(several)) as threads:
            return list(threads.map(self.send, several))

    def run(self, value: Any) -> Any:
        """`value`, awaited if the transport is asynchronous."""
        return value if self._runner is None else self._runner.run(value)

    def close(self) -> None:
        """Close the transport and its event loop."""
        self.run(self.transport.close())
        if self._runner is not None:
            self._runner.close()


class Trial:
    """One case, over TLS or without."""

    def __init__(self, make: MakeTransport, *, tls: bool) -> None:
        self.tls = tls
        self._make = make
        self._open = ExitStack()

    def serve(
        self, answer: Script, tls: ssl.SSLContext | None = None
    ) -> ScriptedServer:
        """A server; `tls` is its context, where it is not the usual one."""
        if tls is None and self.tls:
            tls = certificates().good
        return self._open.enter_context(ScriptedServer(answer, tls))

    def open(
        self,
        *,
        seconds: float = USUAL_SECONDS,
        connections: int = 20,
        trusting: bool = True,
    ) -> Sender:
        """The transport on trial, new."""
        context = certificates().trusting() if self.tls and trusting else None
        made = self._make(tls=context, seconds=seconds, connections=connections)
        sender = Sender(made)
        self._open.callback(sender.close)
        return sender

    def close(self) -> None:
        """Close all."""
        self._open.close()


@attrs.frozen
class TransportCase:
    """What a transport must do; the first line of the function's text says it."""

    run: Callable[[Trial], None]
    over: tuple[bool, ...] = (False, True)
    """Without TLS, over TLS, or both."""

    @property
    def name(self) -> str:
        """What is asked for, in words."""
        return self.run.__name__.replace("_", " ")

    @property
    def text(self) -> str:
        """Why it is asked for."""
        return inspect.getdoc(self.run) or ""


PLAIN = (False,)
TLS = (True,)


def post(
    server: ScriptedServer | str, path: str = "/pay", body: bytes = b"amount=100"
) -> Request:
    """A request as an adapter makes it."""
    url = server if isinstance(server, str) else server.url + path
    headers = (("Content-Type", "text/plain"), ("X-Merchant", "A100"))
    return Request(method="POST", url=url, headers=headers, body=body)


def whole(body: bytes = b"done", status: str = "200 OK", *headers: str) -> bytes:
    """A reply as a good server gives it."""
    lines = (f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", "")
    return "\r\n".join(lines).encode() + body


def echo(peer: Any) -> None:
    """Script each request with its own body."""
    while (request := peer.request()) is not None:
        peer.send(whole(request.body))


def never_sent(found: Reply | Failure) -> None:
    """Assert that a failure says: it was surely never sent."""
    assert isinstance(found, Failure), f"{found}: nothing was sent, yet a reply"
    assert not found.sent, f"{found}: nothing was sent, but it says: it may have been"


def may_have_been_sent(found: Reply | Failure) -> None:
    """Assert that a failure says: it may have been sent."""
    assert isinstance(found, Failure), f"{found}: no reply came, yet one is given"
    assert found.sent, f"{found}: it was sent, but it says: surely never"


def broken_off(found: Reply | Failure, *, arrived: bool) -> None:
    """Assert a failure; if any of the request `arrived`, that it may have been sent.

    On a busy machine a short deadline may be over before there is a connection.
    """
    if arrived:
        may_have_been_sent(found)
    assert isinstance(found, Failure), f"{found}: no reply came, yet one is given"


def replied(found: Reply | Failure, body: bytes | None = None) -> Reply:
    """Assert that there is a reply, with this body."""
    assert isinstance(found, Reply), f"{found}: a reply came, and is not given"
    assert body is None or found.body == body, "the body is another one"
    return found
