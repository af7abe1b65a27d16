"""What a request costs beside the standard library's `http.client`, in one run.

    uv run pytest tests/benchmarks/bench_transport.py -s

The server is a process of its own, on loopback. It answers at once, or after a
millisecond: then this process sleeps meanwhile, as with a network, and finds its caches
cold. What is compared is this process's CPU a
request, on a connection that is kept, in rounds that take turns. Beside it: connections
opened, what importing costs, and a command on the emulator in this process.
"""

import asyncio
import socket
import ssl
import statistics
import subprocess
import sys
import threading
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPSConnection
from itertools import count
from time import process_time, sleep

import pytest
import trustme

from kessai import AsyncHttpTransport, Command, Engine, HttpTransport, MemoryStore
from kessai.gateway import Request
from kessai_adapters.veritrans4g.local import LocalGateway

ROUNDS, REQUESTS = 15, 200
TARGET, COLD_TARGET = 0.8, 0.9
IMPORT_TARGET = 1.5
PAUSES = {"at once": "0", "after 1 ms": "0.001"}

HEADERS = (("Content-Type", "application/json"), ("X-Merchant", "A100"))
BODY = b'{"params":{"orderId":"order-1","amount":"100"}}' * 8
REPLY_BODY = b'{"result":{"mstatus":"success","vResultCode":"A001"}}' * 8
REPLY = (
    b"HTTP/1.1 200 OK\r\nDate: Mon, 30 Nov 2026 00:00:00 GMT\r\nServer: gateway\r\n"
    b"Content-Type: application/json;charset=UTF-8\r\nCache-Control: no-store\r\n"
    b"X-Request-Id: 0123456789abcdef\r\nContent-Length: %d\r\n\r\n" % len(REPLY_BODY)
) + REPLY_BODY
FOUND = []


# ── the server, in a process of its own ─────────────────────────────────────────────


def serve(pause, *files):
    """Answer every request by the same reply; print the port, then each connection."""
    context = None
    if files:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*files)
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)
    print(listener.getsockname()[1], flush=True)  # noqa: T201 - for its parent
    while True:
        accepted, _ = listener.accept()
        print("connection", flush=True)  # noqa: T201 - for its parent
        given = accepted, context, float(pause)
        threading.Thread(target=answer, args=given, daemon=True).start()


def answer(accepted, context, pause):
    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with suppress(OSError):
        if context is not None:
            accepted = context.wrap_socket(accepted, server_side=True)
        begun = b""
        while data := accepted.recv(65_536):
            begun += data
            if begun.endswith(BODY):
                begun = b""
                sleep(pause)
                accepted.sendall(REPLY)


class Server:
    def __init__(self, pause, *files):
        command = [sys.executable, __file__, pause, *files]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.answers_at_once = float(pause) == 0
        self.port = int(self._process.stdout.readline())

    def close(self):
        """End it; how many connections were opened."""
        if self._process.poll() is None:
            self._process.kill()
            self.opened = self._process.communicate()[0].count("connection")
        return self.opened


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(params=["plain", "TLS"])
def tls(request, authority, tmp_path):
    """The files of a server's certificate, and a client's context; None without TLS."""
    if request.param == "plain":
        return (), None
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(files[0])
    issued.private_key_pem.write_to_path(files[1])
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return files, context


@pytest.fixture(params=PAUSES)
def server(tls, request):
    server = Server(PAUSES[request.param], *tls[0])
    yield server
    server.close()


@pytest.fixture(scope="module", autouse=True)
def _print_all():
    yield
    print("\n\nours / theirs, median of the rounds:")  # noqa: T201 - its purpose
    for line in FOUND:
        print(f"  {line}")  # noqa: T201 - its purpose


# ── what a request costs ────────────────────────────────────────────────────────────


def request_to(server, context):
    scheme = "http" if context is None else "https"
    url = f"{scheme}://127.0.0.1:{server.port}/pay/v2"
    return Request(method="POST", url=url, headers=HEADERS, body=BODY)


def by_http_client(server, context):
    if context is None:
        connection = HTTPConnection("127.0.0.1", server.port)
    else:
        connection = HTTPSConnection("127.0.0.1", server.port, context=context)

    def send():
        connection.request("POST", "/pay/v2", BODY, dict(HEADERS))
        response = connection.getresponse()
        assert response.read() == REPLY_BODY
        return response.status, response.getheaders()

    return connection, send


def cpu(send):
    begin = process_time()
    for _ in range(REQUESTS):
        send()
    return process_time() - begin


def note(name, pairs):
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    ours, theirs = (statistics.median(side) / REQUESTS * 1e6 for side in zip(*pairs))  # noqa: B905
    FOUND.append(
        f"{name}: {ratio:.2f} ({ours:.0f} µs of CPU, http.client {theirs:.0f})"
    )
    return ratio


def test_a_request_of_a_thread(server, tls, request):
    context = tls[1]
    made = request_to(server, context)
    connection, theirs = by_http_client(server, context)
    with closing(connection), closing(HttpTransport(tls=context)) as transport:

        def ours():
            assert transport.send(made).body == REPLY_BODY

        pairs = [(cpu(ours), cpu(theirs)) for _ in range(ROUNDS + 1)][1:]
    ratio = note(request.node.name, pairs)
    assert ratio <= (TARGET if server.answers_at_once else COLD_TARGET)
    assert server.close() == 2


def test_a_request_of_a_task(server, tls, request):
    context = tls[1]
    made = request_to(server, context)
    connection, theirs = by_http_client(server, context)
    transport = AsyncHttpTransport(tls=context)

    async def cpu_of_tasks():
        begin = process_time()
        for _ in range(REQUESTS):
            assert (await transport.send(made)).body == REPLY_BODY
        return process_time() - begin

    with closing(connection), asyncio.Runner() as runner:
        rounds = range(ROUNDS + 1)
        pairs = [(runner.run(cpu_of_tasks()), cpu(theirs)) for _ in rounds][1:]
        runner.run(transport.close())
    ratio = note(request.node.name, pairs)
    assert ratio <= (TARGET if server.answers_at_once else COLD_TARGET)
    assert server.close() == 2


def test_connections_opened_by_twenty_at_once(server, tls, request):
    context = tls[1]
    made = request_to(server, context)
    transport = AsyncHttpTransport(tls=context)

    async def twenty():
        for _ in range(20):
            found = await asyncio.gather(*[transport.send(made) for _ in range(20)])
            assert {reply.status for reply in found} == {200}
        await transport.close()

    asyncio.run(twenty())
    opened = server.close()
    FOUND.append(f"{request.node.name}: {opened} for 400 requests")
    assert opened <= 20


# ── what importing costs, and a command in this process ─────────────────────────────


def imported(code):
    """Seconds of CPU that it takes where an engine is there, the least of some."""
    program = (
        "from kessai import Engine; from time import process_time as now; a = now()"
    )
    command = [sys.executable, "-c", f"{program}; {code}; print(now() - a)"]
    return min(float(subprocess.check_output(command)) for _ in range(25))


@pytest.mark.parametrize("module", ["http", "async_http"])
def test_importing_it_beside_ssl_and_asyncio(module):
    theirs = imported("import ssl, asyncio")
    ours = imported(f"import kessai.transport.{module}")
    ratio = ours / theirs
    FOUND.append(
        f"importing {module}: {ratio:.2f} (ssl, asyncio: {theirs * 1e3:.0f} ms)"
    )
    assert round(ratio, 1) <= IMPORT_TARGET


def test_a_command_on_the_emulator_in_this_process():
    gateway = LocalGateway()
    keys = count()
    with Engine(
        adapters=[gateway.adapter],
        store=MemoryStore(),
        transport=gateway.transport,
    ) as engine:

        def command(name, **more):
            asked = Command(name, "order-1", key=f"{next(keys)}", **more)
            return engine.execute(asked).status

        command("authorize", lifecycle="one_time", amount=10_000_000)
        engine.recover_transaction("order-1")
        assert command("capture") == "succeeded"
        rounds = []
        for _ in range(9):
            begin = process_time()
            for _ in range(200):
                assert command("refund", amount=1) == "succeeded"
            rounds.append((process_time() - begin) / 200 * 1e6)
    FOUND.append(f"a refund on the emulator: {statistics.median(rounds):.0f} µs of CPU")
    gateway.close()


if __name__ == "__main__":
    serve(*sys.argv[1:])
