"""Over sockets: a real ASGI server, the emulator's own sender, and a server that dies."""

import asyncio
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest
import uvicorn

from kessai import (
    AsyncEngine,
    AsyncHttpTransport,
    Command,
    Engine,
    NotificationEndpoint,
    Request,
    SQLiteStore,
)
from kessai.audit import verify
from kessai.http.notifications import LARGEST_NOTIFICATION
from kessai.machine import read_events
from kessai_adapters.emulators import NotificationSender, Patience, serve
from kessai_adapters.emulators.veritrans4g import DEFAULT_CCID, DEFAULT_KEY, Emulator
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G

SERVER = Path(__file__).with_name("server.py")
QUICK = Patience(attempts=40, first_pause=0.01, timeout=20.0)


@contextmanager
def served(app, listening):
    """`app` under uvicorn in a thread, on a socket that listens already."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def gateway():
    with Emulator(approve="ask") as emulator, serve(emulator) as server:
        yield emulator, server.url


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def where(listening):
    return f"http://127.0.0.1:{listening.getsockname()[1]}/payments/notified"


@pytest.fixture
def store(tmp_path):
    return tmp_path / "shop.db"


@pytest.fixture
def adapter(gateway, where):
    _, url = gateway
    credentials = Credentials(DEFAULT_CCID, DEFAULT_KEY)
    return VeriTrans4G(credentials, host=url, dummy=True, notification_url=where)


@pytest.fixture
def engine(adapter, store):
    with Engine(adapters=[adapter], store=SQLiteStore(store)) as engine:
        yield engine


@pytest.fixture
def endpoint(adapter, store, listening):
    """An endpoint as of another process on the same store."""
    engine = AsyncEngine(adapters=[adapter], store=SQLiteStore(store))
    with served(NotificationEndpoint(engine, closes_engine=True), listening):
        yield


def kinds(engine):
    return [type(e).__name__ for e in read_events(engine.store.records("order"))]


def until(holds):
    ends = time.monotonic() + 300
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.01)


def apply(engine):
    engine.execute(
        Command("authorize", "order", key="1", lifecycle="one_time", amount=1000)
    )


def test_the_gateway_delivers_its_notifications(gateway, engine, endpoint):
    emulator, _ = gateway
    with NotificationSender(emulator, patience=QUICK) as sender:
        apply(engine)
        emulator.consumer.approve("order")
        until(lambda: engine.transaction("order").status == "payment.authorized")
        emulator.misbehave("lose_reply", command="Capture")
        engine.execute(Command("capture", "order", key="2", amount=700))
        until(lambda: engine.transaction("order").status == "payment.captured")
        emulator.portal.refund("order", 300)
        until(lambda: engine.transaction("order").amounts["refunded"] == 300)
    assert sender.undelivered == []
    assert kinds(engine)[-1] == "External"
    assert verify(engine.store).holds


def test_twenty_deliveries_at_once_record_a_notification_once(
    gateway, engine, endpoint, where
):
    emulator, _ = gateway
    apply(engine)
    emulator.consumer.approve("order")
    [notification] = emulator.take_notifications()

    async def deliver():
        transport = AsyncHttpTransport()
        request = Request(
            method="POST",
            url=where,
            headers=tuple(notification.headers.items()),
            body=notification.body,
        )
        answers = await asyncio.gather(*[transport.send(request) for _ in range(20)])
        await transport.close()
        return [answer.status for answer in answers]

    assert asyncio.run(deliver()) == [200] * 20
    assert kinds(engine) == ["Begun", "Reported", "Reported"]


def test_a_server_that_dies_before_it_answers_has_recorded_it(
    gateway, engine, store, listening
):
    emulator, url = gateway
    notes = store.with_suffix(".notes")
    notes.with_suffix(".dies").touch()

    def start():
        number = listening.fileno()
        command = [sys.executable, SERVER, str(number), store, url, notes]
        return subprocess.Popen(command, pass_fds=[number])

    apply(engine)
    emulator.consumer.approve("order")
    with start() as first, NotificationSender(emulator, patience=QUICK) as sender:
        assert first.wait(300) == -signal.SIGKILL
        assert not notes.exists()
        assert kinds(engine) == ["Begun", "Reported", "Reported"]
        assert engine.transaction("order").status == "payment.authorized"
        with start() as second:
            until(notes.exists)
            until(lambda: notes.read_text() == "200\n")
            second.terminate()
    assert sender.undelivered == []
    assert kinds(engine) == ["Begun", "Reported", "Reported"]
    assert verify(engine.store).holds


def test_a_body_without_end_is_cut_off(gateway, engine, endpoint, listening):
    """Announced or not, no more than the limit is ever kept."""
    for is_announced in (True, False):
        connection = HTTPConnection(*listening.getsockname(), timeout=60)
        connection.putrequest("POST", "/")
        if is_announced:
            connection.putheader("Content-Length", str(10**12))
        else:
            connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()
        sent = 0
        try:
            while sent < 20 * LARGEST_NOTIFICATION:
                piece = b"x" * 65_536
                framed = piece if is_announced else b"10000\r\n" + piece + b"\r\n"
                connection.send(framed)
                sent += len(piece)
        except OSError:
            pass
        assert sent < 20 * LARGEST_NOTIFICATION
        connection.close()


def test_a_client_that_breaks_off_leaves_nothing(gateway, engine, endpoint, listening):
    emulator, _ = gateway
    apply(engine)
    emulator.consumer.approve("order")
    [notification] = emulator.take_notifications()
    with socket.create_connection(listening.getsockname()) as connection:
        head = "".join(
            f"{name}: {value}\r\n" for name, value in notification.headers.items()
        )
        announced = f"Content-Length: {len(notification.body)}\r\n\r\n"
        start = f"POST / HTTP/1.1\r\nHost: shop\r\n{head}{announced}".encode()
        connection.sendall(start + notification.body[:-1])
    connection = HTTPConnection(*listening.getsockname(), timeout=60)
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Allow")) == (405, "POST")
    connection.close()
    assert kinds(engine) == ["Begun", "Reported"]
