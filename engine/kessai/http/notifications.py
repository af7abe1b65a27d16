"""Where the gateway's notifications arrive: an ASGI app, and two plain functions.

    # in shop.py: notifications = NotificationEndpoint(AsyncEngine(…))
    uvicorn shop:notifications

The answer is 200 only once everything that the items state is durable. Any other answer
makes the gateway send the notification again: 503 soon, 500 when somebody must mend
something first, 400 for what is not the gateway's or cannot be read. Only the engine
reads a notification; neither its body nor its headers ever reach a log or an answer.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from types import TracebackType
from typing import Any, Final, cast

import attrs

from kessai.async_engine import AsyncEngine
from kessai.errors import (
    KessaiError,
    NotificationRefused,
    ResendWithSameKey,
    SafeToResend,
)
from kessai.limits import NOTIFICATION_SECONDS
from kessai.shell import Engine

LARGEST_NOTIFICATION: Final = 1024 * 1024
"""Bytes at most in a notification's body: thousands of items."""

Headers = Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]]
AsgiScope = MutableMapping[str, Any]
AsgiMessage = MutableMapping[str, Any]
AsgiReceive = Callable[[], Awaitable[AsgiMessage]]
AsgiSend = Callable[[AsgiMessage], Awaitable[None]]
AsgiApp = Callable[[AsgiScope, AsgiReceive, AsgiSend], Awaitable[None]]

_LONGEST_NUMBER: Final = 18

_log = logging.getLogger("kessai.notification")


@attrs.frozen
class NotificationAnswer:
    """The HTTP answer to a notification. It gives a forger no hint."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/plain"),)


def _soon(status: int, body: bytes) -> NotificationAnswer:
    return NotificationAnswer(
        status, body, (("Content-Type", "text/plain"), ("Retry-After", "60"))
    )


_TAKEN = NotificationAnswer(200, b"recorded\n")
_NO_POST = NotificationAnswer(
    405, b"only POST\n", (("Content-Type", "text/plain"), ("Allow", "POST"))
)
_SLOW = NotificationAnswer(408, b"too slow\n")
_LONG = NotificationAnswer(413, b"too long\n")
_UNREAD = (_NO_POST, _SLOW, _LONG)

_LATER = _soon(503, b"not recorded yet\n")
_ANSWERS: tuple[tuple[type[KessaiError], NotificationAnswer], ...] = (
    (NotificationRefused, NotificationAnswer(400, b"refused\n")),
    (SafeToResend, _LATER),
    (ResendWithSameKey, _LATER),
    # The gateway keeps trying: its evidence is needed once the trail is mended.
    (KessaiError, NotificationAnswer(500, b"cannot be recorded\n")),
)


def answer_notification(
    engine: Engine, headers: Headers, body: bytes, account: str | None = None
) -> NotificationAnswer:
    """Take in a notification with any framework, and return the answer to give.

    `body` must be the raw bytes as they came. `headers` is what the framework has: a
    mapping, or all pairs as they came, which show that a header was sent twice.
    `account` is whose endpoint this is, where the engine has several.
    """
    verdict = _NotificationVerdict()
    with verdict:
        if verdict.allows(body):
            engine.receive_notification(_single(headers), body, account)
    return verdict.answer


async def answer_notification_async(
    engine: AsyncEngine, headers: Headers, body: bytes, account: str | None = None
) -> NotificationAnswer:
    """See `answer_notification`."""
    verdict = _NotificationVerdict()
    with verdict:
        if verdict.allows(body):
            await engine.receive_notification(_single(headers), body, account)
    return verdict.answer


@attrs.define
class _NotificationVerdict:
    """The answer to a notification; an error raised within is logged and decides it.

    Only kessai's own errors do. The server logs any other error and answers 500.
    """

    answer: NotificationAnswer = _TAKEN

    def allows(self, body: bytes) -> bool:
        if len(body) > LARGEST_NOTIFICATION:
            self.answer = _refused(_LONG)
        return self.answer is _TAKEN

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        for answered, answer in _ANSWERS:
            if isinstance(error, answered):
                self.answer = answer
                broken = answered is KessaiError
                level = logging.ERROR if broken else logging.WARNING
                _log.log(level, "answered %d: %s", answer.status, error)
                return True
        return False


def _refused(answer: NotificationAnswer) -> NotificationAnswer:
    reason = answer.body.decode().strip()
    _log.warning("answered %d: its body is %s", answer.status, reason)
    return answer


def _single(headers: Headers) -> dict[str, str]:
    """One value per name. Two become one with a comma, which no single value has.

    Choosing one of them would let a forged signature hide behind a true one.
    """
    pairs: Iterable[tuple[str | bytes, str | bytes]] = (
        cast("Mapping[str, str]", headers).items()
        if isinstance(headers, Mapping)
        else headers
    )
    single: dict[str, str] = {}
    for name, value in pairs:
        key, text = _text(name).lower(), _text(value)
        single[key] = f"{single[key]}, {text}" if key in single else text
    return single


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


class NotificationEndpoint:
    """An ASGI 3 app that receives the gateway's notifications, under any path.

    It takes an `AsyncEngine`, or a function that gives it once it is open (until then
    the answer is 503); for a synchronous engine use `answer_notification`. The caller
    closes the engine, unless `closes_engine` says that it ends with the server.
    `patience` is how many seconds a body may take. Where the engine has several
    accounts, each has an endpoint of its own: `account` says whose this is.

    In front of another `app` it takes what comes to `path`, with or without a slash at
    the end, and leaves the rest to that. No router redirects a notification then, which
    a gateway does not follow.
    """

    def __init__(
        self,
        engine: AsyncEngine | Callable[[], AsyncEngine | None],
        *,
        app: AsgiApp | None = None,
        path: str = "/",
        closes_engine: bool = False,
        patience: float = NOTIFICATION_SECONDS,
        account: str | None = None,
    ) -> None:
        self._engine = engine
        self._app = app
        self._path = path.strip("/")
        self._closes_engine = closes_engine
        self._patience = patience
        self._account = account

    async def __call__(
        self, scope: AsgiScope, receive: AsgiReceive, send: AsgiSend
    ) -> None:
        """Serve one connection, as ASGI asks for it."""
        kind = scope["type"]
        if kind == "http" and (self._app is None or self._is_asked(scope)):
            answer = await self._answer(scope, receive)
            if answer is not None:
                await _say(scope, answer, send)
        elif kind == "lifespan":
            await (self._app or _live)(scope, receive, self._closing(send))
        elif self._app is not None:
            await self._app(scope, receive, send)
        elif kind == "websocket":
            await send({"type": "websocket.close"})
        else:
            message = f"notifications come by HTTP, not by {kind!r}"
            raise ValueError(message)

    def _is_asked(self, scope: AsgiScope) -> bool:
        path: str = scope["path"]
        return path.removeprefix(scope.get("root_path", "")).strip("/") == self._path

    def _closing(self, send: AsgiSend) -> AsgiSend:
        """`send`, which closes the engine before the server is told that all has ended."""

        async def closing(message: AsgiMessage) -> None:
            if message["type"] == "lifespan.shutdown.complete" and self._closes_engine:
                engine = self._opened()
                if engine is not None:
                    await engine.close()
            await send(message)

        return closing

    def _opened(self) -> AsyncEngine | None:
        return self._engine if isinstance(self._engine, AsyncEngine) else self._engine()

    async def _answer(
        self, scope: AsgiScope, receive: AsgiReceive
    ) -> NotificationAnswer | None:
        """The answer; None if the client went away before the body was complete."""
        import asyncio  # a server has it already; others need not wait for it

        if scope["method"] != "POST":
            return _NO_POST
        try:
            async with asyncio.timeout(self._patience):
                body = await _read(scope, receive)
        except TimeoutError:
            return _refused(_SLOW)
        if not isinstance(body, bytes):
            return body
        engine = self._opened()
        if engine is None:
            _log.warning("answered %d: the engine is not open yet", _LATER.status)
            return _LATER
        headers = scope["headers"]
        return await answer_notification_async(engine, headers, body, self._account)


async def _live(_: AsgiScope, receive: AsgiReceive, send: AsgiSend) -> None:
    """Begin and end with the server."""
    phase = ""
    while phase != "lifespan.shutdown":
        phase = (await receive())["type"]
        await send({"type": f"{phase}.complete"})


async def _read(
    scope: AsgiScope, receive: AsgiReceive
) -> bytes | NotificationAnswer | None:
    """The whole body, unless it is too long or the client goes away."""
    if _announced(scope) > LARGEST_NOTIFICATION:
        return _refused(_LONG)
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        if len(body) + len(part) > LARGEST_NOTIFICATION:
            return _refused(_LONG)
        body += part
        more = message.get("more_body", False)
    return bytes(body)


def _announced(scope: AsgiScope) -> int:
    """The length that the client announces, 0 if that is not a number.

    It only saves reading a body that is too long: what is read is counted.
    """
    announced: bytes = dict(scope["headers"]).get(b"content-length", b"")
    is_number = announced.isdigit() and len(announced) <= _LONGEST_NUMBER
    return int(announced) if is_number else 0


async def _say(scope: AsgiScope, answer: NotificationAnswer, send: AsgiSend) -> None:
    pairs = [*answer.headers, ("Content-Length", str(len(answer.body)))]
    if answer in _UNREAD and scope.get("http_version", "1.1").startswith("1"):
        pairs.append(("Connection", "close"))  # or the server would read on for nothing
    headers = [(name.lower().encode(), value.encode()) for name, value in pairs]
    await send(
        {"type": "http.response.start", "status": answer.status, "headers": headers}
    )
    await send({"type": "http.response.body", "body": answer.body})
