"""An emulator behind a port, and its notifications on their way to a shop."""

import http.client
import json
import socket
import ssl
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import trustme

from kessai import HttpTransport
from kessai.gateway import Request
from kessai_adapters.emulators import Fault, NotificationSender, Patience, serve

ORDER = "/orders/A-1"


@pytest.fixture
def server(till):
    with serve(till) as server:
        yield server


class Client:
    """Sends to a server."""

    def __init__(self, url, **given):
        self._url, self._transport = url, HttpTransport(**given)

    def send(self, method, path, body=b""):
        request = Request(method=method, url=self._url + path, body=body)
        return self._transport.send(request)

    def close(self):
        self._transport.close()


@pytest.fixture
def client(server):
    with closing(Client(server.url)) as client:
        yield client


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_request_of_any_method_goes_over_http(client, till, method):
    till.orders["A-1"] = "open"
    reply = client.send(method, ORDER)
    assert json.loads(reply.body) == {"method": method, "state": "open"}


def test_it_goes_over_https_with_a_verified_certificate(till, tmp_path):
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)

    tls = (tmp_path / "cert.pem", tmp_path / "key.pem")
    with serve(till, tls=tls) as server:
        assert server.url.startswith("https://127.0.0.1:")
        with closing(Client(server.url, tls=trusted)) as client:
            assert client.send("POST", ORDER).status == 200
        with closing(Client(server.url)) as stranger:
            assert stranger.send("POST", ORDER).sent is False


def test_the_server_says_where_it_is(till, server):
    assert till.base_url == server.url


@pytest.mark.parametrize(
    "fault", [Fault.LOSE_REPLY, Fault.REFUSE_CONNECTION, Fault.TRUNCATE]
)
def test_a_broken_exchange_breaks_the_connection(client, till, fault):
    till.misbehave(fault)
    assert client.send("POST", ORDER).sent is True
    assert client.send("POST", ORDER).status == 200


def test_a_body_too_large_or_of_unknown_length_is_not_read(server):
    address = server.url.removeprefix("http://")
    for headers, status in (
        ({"Content-Length": "1000001"}, 413),
        ({"Content-Length": "9" * 5000}, 413),
        ({"Content-Length": "-1"}, 411),
        ({"Transfer-Encoding": "chunked"}, 411),
    ):
        connection = http.client.HTTPConnection(address, timeout=60)
        connection.putrequest("POST", ORDER)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().status == status
        connection.close()


def test_closing_ends_connections_that_idle(till):
    others = {*threading.enumerate()}
    server = serve(till)
    idle = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=60)
    idle.request("GET", "/")
    assert idle.getresponse().read()
    server.close()
    assert idle.sock.recv(1) == b""
    idle.close()
    assert not [
        thread
        for thread in {*threading.enumerate()} - others
        if thread.name.startswith("kessai-emulator")
    ]


class Merchant(HTTPServer):
    """A merchant's server that answers with the statuses it was given."""

    def __init__(self, *statuses):
        self.statuses = list(statuses)
        self.bodies = []
        super().__init__(("127.0.0.1", 0), Notified)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/push?shop=1"


class Notified(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.server.bodies.append((self.path, self.rfile.read(length)))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.send_response(status)
        self.end_headers()

    def log_message(self, *args):
        pass


def until(condition):
    """Wait until something is so, a minute at most."""
    pause = threading.Event()
    for _ in range(6000):
        if condition():
            return
        pause.wait(0.01)
    pytest.fail("it never came to be")


@pytest.fixture
def merchant():
    with Merchant(500, 404) as merchant:
        thread = threading.Thread(target=merchant.serve_forever, args=(0.01,))
        thread.start()
        yield merchant
        merchant.shutdown()
        thread.join()


def test_a_notification_is_repeated_until_the_shop_answers_200(till, merchant):
    till.url = merchant.url
    with NotificationSender(till, patience=Patience(first_pause=0.001)) as sender:
        till.become("A-1", "open")
        until(lambda: len(merchant.bodies) == 3)
    assert (
        merchant.bodies == [("/push?shop=1", b'{"order": "A-1", "state": "open"}')] * 3
    )
    assert sender.undelivered == []


def test_a_gateway_may_take_other_statuses_for_yes(till, merchant):
    merchant.statuses = [204]
    till.url = merchant.url
    accepted = Patience(first_pause=0.001, accepted=range(200, 300))
    with NotificationSender(till, patience=accepted) as sender:
        till.become("A-1", "open")
    assert len(merchant.bodies) == 1
    assert sender.undelivered == []


def test_a_notification_is_given_up_after_a_few_attempts(till, merchant):
    merchant.statuses = [500] * 2
    till.url = merchant.url
    patience = Patience(attempts=2, first_pause=0.001)
    with NotificationSender(till, patience=patience) as sender:
        till.become("A-1", "open")
        until(lambda: sender.undelivered)
    assert len(merchant.bodies) == 2


def test_a_shop_elsewhere_is_not_called_by_accident(till):
    till.url = "https://shop.example/push"
    with NotificationSender(till) as sender:
        till.become("A-1", "open")
        until(lambda: sender.undelivered)


def test_a_closed_port_and_a_closed_sender_lose_nothing_silently(till):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    sender = NotificationSender(till, patience=Patience(first_pause=60))
    for scheme in ("http", "https"):
        till.url = f"{scheme}://127.0.0.1:{port}/"
        till.become(f"A-{scheme}", "open")
    sender.close()
    assert len(sender.undelivered) == 2
