"""Over real sockets: what an adapter makes of what a transport gives, and its limits.

What any transport must do is asked in `kessai.testing.transport_kit`.
"""

import asyncio
import gc
import ssl
import threading
from contextlib import closing

import pytest
import trustme

from kessai import AsyncHttpTransport, HttpTransport
from kessai.errors import InvalidInput
from kessai.gateway import Call, Failure, Outcome, Reply, Request
from kessai.limits import REPLY_SECONDS
from kessai.testing.transport_kit.server import ScriptedServer
from kessai.testing.transport_kit.trial import echo, post, whole
from kessai.transport import pool as pools
from kessai_adapters.emulators.veritrans4g import DEFAULT_CCID, DEFAULT_KEY
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G

CALL = Call(
    command="capture",
    transaction="order",
    lifecycle="one_time",
    operation="order.3",
    amount=100,
)


class Asynchronous:
    """`AsyncHttpTransport` with the methods of a `Transport`, on one event loop."""

    def __init__(self, **given):
        self.runner = asyncio.Runner()
        self.inner = AsyncHttpTransport(**given)

    def send(self, request):
        return self.runner.run(self.inner.send(request))

    def close(self):
        self.runner.run(self.inner.close())
        self.runner.close()


@pytest.fixture(params=[HttpTransport, Asynchronous], ids=["sync", "async"])
def make(request):
    """A maker of transports, which are closed at the end."""
    made = []

    def new(**given):
        made.append(request.param(**given))
        return made[-1]

    yield new
    for transport in made:
        transport.close()


@pytest.fixture
def serve():
    """A maker of servers, which are closed at the end."""
    made = []

    def new(answer, tls=None):
        if isinstance(answer, bytes):
            reply = answer
            answer = lambda peer: peer.request() and peer.send(reply)  # noqa: E731
        made.append(ScriptedServer(answer, tls))
        return made[-1]

    yield new
    for server in made:
        server.close()


def evidence_of(reply):
    adapter = VeriTrans4G(Credentials(DEFAULT_CCID, DEFAULT_KEY), dummy=True)
    return adapter.evidence(CALL, reply)


# ── what an adapter makes of it ─────────────────────────────────────────────────────

SUCCESS = b'{"result":{"mstatus":"success","vResultCode":"A001000000000000"}}'
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
def test_an_absurd_answer_is_a_reply_that_says_nothing(serve, make, body):
    reply = make().send(post(serve(whole(body))))
    assert isinstance(reply, Reply)
    assert evidence_of(reply).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("status", ["500 No", "502 No", "503 No", "302 Go"])
def test_no_status_but_200_says_anything(serve, make, status):
    reply = whole(SUCCESS, status, "Location: http://127.0.0.1:1/")
    found = make().send(post(serve(reply)))
    assert isinstance(found, Reply)
    assert evidence_of(found).outcome is Outcome.UNKNOWN


def test_what_broke_off_leaves_the_outcome_unknown(serve, make):
    """It was sent: whatever it did, it may have done."""
    failure = make().send(post(serve(whole(SUCCESS)[:-1])))
    assert failure == Failure(sent=True, reason="the reply broke off")
    assert evidence_of(failure).outcome is Outcome.UNKNOWN


def test_what_was_never_connected_was_never_sent(serve, make):
    server = serve(echo)
    server.close()
    failure = make().send(post(server))
    assert failure == Failure(sent=False, reason="no connection was made")
    assert evidence_of(failure).never_sent


# ── limits ──────────────────────────────────────────────────────────────────────────


def test_a_gigabyte_is_too_long(serve, make):
    def gigabyte(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        for _ in range(1000):
            peer.send(b" " * 1_000_000)

    failure = make().send(post(serve(gigabyte)))
    assert failure == Failure(sent=True, reason="the reply is too long")


@pytest.mark.parametrize(
    "before", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n"]
)
def test_a_reply_in_drops_is_too_slow(serve, make, before):
    """The time counts from the sending: until the first byte, the caller waits, too."""

    def drips(peer):
        peer.request()
        peer.send(whole())
        peer.request()
        peer.send(before)
        peer.drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 9000)

    server, transport = serve(drips), make()
    assert transport.send(post(server)).status == 200  # it is connected now
    getattr(transport, "inner", transport)._settings.seconds = 1.0
    failure = transport.send(post(server))
    assert failure == Failure(sent=True, reason="the reply came too slowly")


def test_whoever_waits_in_vain_for_a_connection_has_sent_nothing(serve, make):
    server = serve(echo)
    transport = make(seconds=0.2, connections=1)

    async def with_no_slot_left(inner, send):
        slots = inner._pools.of(asyncio.get_running_loop()).slots
        await slots.acquire()
        return await send

    if isinstance(transport, HttpTransport):
        assert transport._pools.of().slots.acquire()
        failure = transport.send(post(server))
    else:
        inner = transport.inner
        sending = with_no_slot_left(inner, inner.send(post(server)))
        failure = transport.runner.run(sending)
    assert failure == Failure(sent=False, reason="no connection was free in time")
    assert server.connections == 0


def test_a_slot_is_free_again_whatever_happened(serve, make):
    transport = make(connections=1)
    broken, good = serve(b""), serve(echo)
    bad = Request(method="POST", url="nowhere")
    for _ in range(3):
        assert transport.send(bad).sent is False
        assert transport.send(post(broken)).sent is True
        assert transport.send(post(good)).status == 200


@pytest.mark.parametrize("seconds", [0, -1, REPLY_SECONDS + 1, float("nan")])
def test_no_deadline_is_longer_than_what_recovery_counts_on(make, seconds):
    with pytest.raises(InvalidInput, match="seconds"):
        make(seconds=seconds)


def test_at_least_one_connection_is_needed(make):
    with pytest.raises(InvalidInput, match="connections"):
        make(connections=0)


# ── TLS ─────────────────────────────────────────────────────────────────────────────


def test_a_context_that_verifies_nothing_is_refused(make):
    no_names = ssl.create_default_context()
    no_names.check_hostname = False
    nothing = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    nothing.check_hostname = False
    nothing.verify_mode = ssl.CERT_NONE
    for context in (no_names, nothing):
        with pytest.raises(InvalidInput, match="does not verify"):
            make(tls=context)


def test_a_client_certificate_is_shown(serve, make, tmp_path):
    authority = trustme.CA()
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(theirs)
    authority.issue_cert("127.0.0.1").configure_cert(theirs)
    ours = ssl.create_default_context()
    authority.configure_trust(ours)
    authority.issue_cert("shop.example").configure_cert(ours)
    server = serve(echo, theirs)
    assert make(tls=ours).send(post(server, body=b"ours")).body == b"ours"


def test_a_long_request_and_a_long_reply_go_over_tls(serve, make):
    authority = trustme.CA()
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(theirs)
    ours = ssl.create_default_context()
    authority.configure_trust(ours)
    body = bytes(range(256)) * 15_000
    transport = make(tls=ours)
    server = serve(echo, theirs)
    for _ in range(2):
        assert transport.send(post(server, body=body)).body == body
    assert server.connections == 1


# ── connections ─────────────────────────────────────────────────────────────────────


def test_one_after_the_other_share_a_connection(serve, make):
    server = serve(echo)
    transport = make()
    for number in range(5):
        assert transport.send(post(server, body=b"%d" % number)).body == b"%d" % number
    assert server.connections == 1


def test_a_connection_that_rested_for_too_long_is_not_used_again(
    serve, make, monkeypatch
):
    """Many servers close theirs after five seconds, maybe under the next request."""
    server = serve(echo)
    transport = make()
    transport.send(post(server))
    monkeypatch.setattr("kessai.transport.connection.IDLE_SECONDS", 0.0)
    transport.send(post(server))
    assert server.connections == 2


def test_the_second_address_of_a_host_is_tried_after_the_first(
    serve, make, monkeypatch
):
    server = serve(echo)
    with closing(ScriptedServer(echo, None)) as gone:
        nobody = gone.port
    found = [(2, 1, 6, "", ("127.0.0.1", port)) for port in (nobody, server.port)]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    assert make().send(post("http://gateway.example/")).status == 200


def test_a_host_without_any_address_has_no_connection(make, monkeypatch):
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [])
    failure = make().send(post("http://gateway.example/"))
    assert failure == Failure(sent=False, reason="no connection was made")


def test_a_socket_that_the_system_does_not_make_sent_nothing(make, monkeypatch):
    """As where too many files are open."""
    found = [(99, 1, 6, "", ("127.0.0.1", 9))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    assert make().send(post("http://gateway.example/")).sent is False


def test_a_closed_transport_keeps_no_connection(serve, make):
    server = serve(echo)
    transport = make()
    transport.send(post(server))
    if isinstance(transport, HttpTransport):
        transport.close()
        assert transport._pools._pools == {}
    else:
        transport.runner.run(transport.inner.close())
        assert transport.inner._pools._pools == {}
    gc.collect()  # an open socket would warn, and warnings are errors here


def test_a_connection_given_back_to_a_closed_pool_is_closed(serve):
    """Its request was under way when the transport was closed."""
    begun, go_on = threading.Event(), threading.Event()

    def answer(peer):
        peer.request()
        begun.set()
        go_on.wait(30)
        peer.send(whole())
        peer.request()  # the end of the connection

    transport = HttpTransport()
    server = serve(answer)
    found = []
    thread = threading.Thread(target=lambda: found.append(transport.send(post(server))))
    thread.start()
    begun.wait(30)
    pool = transport._pools.of()
    transport.close()
    go_on.set()
    thread.join()
    assert found[0].status == 200
    assert not any(pool._idle.values())


def test_the_pool_of_a_loop_that_ended_is_closed_for_the_next_one(serve):
    server = serve(echo)
    transport = AsyncHttpTransport()
    asyncio.run(transport.send(post(server)))
    [ended] = transport._pools._pools.values()
    asyncio.run(transport.send(post(server)))
    assert ended._is_closed
    assert len(transport._pools._pools) == 1
    asyncio.run(transport.close())


class WithoutReaders(asyncio.SelectorEventLoop):
    """As the default event loop of Windows, which is asked for each reading."""

    def add_reader(self, *_):
        raise NotImplementedError


def test_an_event_loop_that_has_no_readers_carries_requests_too(serve):
    def tires(peer):
        for _ in range(3):
            peer.request()
            peer.send(whole())
        peer.request()
        peer.wait()

    server = serve(tires)

    async def several():
        transport = AsyncHttpTransport()
        found = [await transport.send(post(server)) for _ in range(3)]
        transport._settings.seconds = 1.0
        found.append(await transport.send(post(server)))
        await transport.close()
        return found

    with asyncio.Runner(loop_factory=WithoutReaders) as runner:
        *replies, failure = runner.run(several())
    assert [reply.status for reply in replies] == [200] * 3
    assert failure == Failure(sent=True, reason="the reply came too slowly")
    assert server.connections == 1


class Ahead(asyncio.SelectorEventLoop):
    """An event loop whose clock can be put forward."""

    seconds = 0.0

    def time(self):
        return super().time() + self.seconds


def test_a_timer_of_an_earlier_reply_breaks_no_later_one_off(serve):
    """A connection has one timer, which may ring while another reply is awaited."""
    arrived, go_on = threading.Event(), threading.Event()

    def answer(peer):
        peer.request()
        peer.send(whole())
        peer.request()
        arrived.set()
        go_on.wait(30)
        peer.send(whole())

    server = serve(answer)

    async def several():
        loop = asyncio.get_running_loop()
        transport = AsyncHttpTransport()
        await transport.send(post(server))
        loop.seconds += 0.6 * REPLY_SECONDS
        second = asyncio.ensure_future(transport.send(post(server)))
        await asyncio.to_thread(arrived.wait, 30)
        loop.seconds += 0.6 * REPLY_SECONDS  # the timer of the first one rings
        for _ in range(3):
            await asyncio.sleep(0)
        assert not second.done()
        go_on.set()
        assert (await second).status == 200
        await transport.close()

    with asyncio.Runner(loop_factory=Ahead) as runner:
        runner.run(several())
    assert server.connections == 1


def test_threads_open_no_more_connections_than_there_are_threads(serve):
    server = serve(echo)
    with HttpTransport() as transport:

        def several():
            for _ in range(50):
                assert transport.send(post(server)).status == 200

        threads = [threading.Thread(target=several) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert server.connections <= 4
    assert len(server.requests) == 200


def test_a_pool_that_was_made_twice_is_used_once():
    """Two threads that send first at the same time get the same pool."""
    made = pools.Pools(lambda: threading.Semaphore(1))
    found = []
    barrier = threading.Barrier(8)

    def ask():
        barrier.wait()
        found.append(made.of())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1
    made.close()
