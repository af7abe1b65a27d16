"""The one place that does HTTP, against a server that misbehaves on a real socket."""

import asyncio
import socket
import threading
import time
from contextlib import closing, suppress

import pytest

from kessai import AsyncHttpTransport, HttpTransport, transport
from kessai.gateway import Call, Failure, Outcome, Reply, Request
from kessai_adapters.emulator import DEFAULT_CCID, DEFAULT_KEY
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CALL = Call(
    command="capture",
    transaction="order",
    lifecycle="one_time",
    operation="order.3",
    amount=100,
)


class Server:
    """Answers each connection by what `answer` does with its socket."""

    def __init__(self, answer):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self.requests = 0
        self._answer = answer
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.requests += 1
                with closing(connection), suppress(OSError):
                    connection.recv(65536)
                    self._answer(connection)

    def close(self):
        self._listener.close()


@pytest.fixture
def serve():
    """A maker of servers, which are closed at the end."""
    made = []

    def make(answer):
        if isinstance(answer, bytes):
            made.append(Server(lambda connection: connection.sendall(answer)))
        else:
            made.append(Server(answer))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture(params=["sync", "async"])
def ask(request):
    """Send one request to a URL; what came back."""

    def ask_sync(url):
        with closing(HttpTransport()) as carrier:
            return carrier.send(Request(method="POST", url=url, body=b"x"))

    async def ask_async(url):
        carrier = AsyncHttpTransport()
        try:
            return await carrier.send(Request(method="POST", url=url, body=b"x"))
        finally:
            await carrier.close()

    if request.param == "sync":
        return ask_sync
    return lambda url: asyncio.run(ask_async(url))


def evidence_of(reply):
    adapter = VeriTrans4G(Credentials(DEFAULT_CCID, DEFAULT_KEY), dummy=True)
    return adapter.evidence(CALL, reply)


def whole(body):
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


BROKEN = {"ReadError", "RemoteProtocolError"}  # whichever the kernel tells first
DUPLICATE = (
    b'{"payNowIdResponse":{},"result":{"mstatus":"failure","mstatus":"success",'
    b'"vResultCode":"A001000000000000","orderId":"order"}}'
)


@pytest.mark.parametrize(
    "body",
    [
        b"<!doctype html><title>Service Unavailable</title>",
        b'{"result":{"mstatus":"success","vResultCode":"A001',
        b"",
        b"null",
        b"[" * 100_000,
        b'{"result":' + b"1" * 5000 + b"}",
        b"\xff\xfe\x00\x00",
        DUPLICATE,
    ],
    ids=["html", "torn", "empty", "null", "deep", "number", "no text", "twice"],
)
def test_an_absurd_answer_is_a_reply_that_says_nothing(serve, ask, body):
    reply = ask(serve(whole(body)).url)
    assert isinstance(reply, Reply)
    assert evidence_of(reply).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("status", [b"500 No", b"502 No", b"503 No", b"302 Go"])
def test_no_status_but_200_says_anything(serve, ask, status):
    body = b'{"result":{"mstatus":"success","vResultCode":"A001000000000000"}}'
    head = HEAD.replace(b"200 OK", status) + b"Location: http://127.0.0.1:1/\r\n"
    reply = ask(serve(head + b"Content-Length: %d\r\n\r\n" % len(body) + body).url)
    assert isinstance(reply, Reply)
    assert evidence_of(reply).outcome is Outcome.UNKNOWN


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def a_gigabyte(connection):
    connection.sendall(HEAD + b"Content-Length: 1000000000\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b" " * 1_000_000)


def drips(connection):
    connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b" ")
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("answer", "reasons"),
    [
        (reset, BROKEN),
        (b"", BROKEN),
        (HEAD + b"Content-Length: 100\r\n\r\nhalf", BROKEN),
        (b"SSH-2.0-OpenSSH_9.2\r\n", BROKEN),
        (a_gigabyte, {"the answer is too long"}),
        (drips, {"the answer came too slowly"}),
    ],
    ids=["reset", "closed", "half", "no http", "a gigabyte", "dripping"],
)
def test_a_broken_answer_leaves_the_outcome_unknown(
    serve, ask, answer, reasons, monkeypatch
):
    """It was sent: whatever it did, it may have done."""
    patience = 0.2 if answer is drips else 60.0  # no other answer is cut off for time
    monkeypatch.setattr(transport, "REPLY_SECONDS", patience)
    failure = ask(serve(answer).url)
    assert failure.sent
    assert failure.reason in reasons
    assert evidence_of(failure).outcome is Outcome.UNKNOWN


def drips_its_head(connection):
    for byte in HEAD + b"Content-Length: 0\r\n\r\n":
        connection.sendall(bytes([byte]))
        time.sleep(0.02)


def test_the_time_for_a_reply_counts_from_the_sending(serve, ask, monkeypatch):
    """Not from its first byte: until then the caller has waited, too."""
    monkeypatch.setattr(transport, "REPLY_SECONDS", 0.2)
    failure = ask(serve(drips_its_head).url)
    assert failure == Failure(sent=True, reason="the answer came too slowly")


def test_what_was_never_connected_was_never_sent(ask):
    with closing(socket.socket()) as nobody:  # bound, so that nobody else is; not heard
        nobody.bind(("127.0.0.1", 0))
        failure = ask(f"http://127.0.0.1:{nobody.getsockname()[1]}/")
    assert failure == Failure(sent=False, reason="ConnectError")
    assert evidence_of(failure).never_sent


def test_nothing_is_sent_twice_by_the_transport(serve, ask):
    server = serve(b"")
    ask(server.url)
    assert server.requests == 1
