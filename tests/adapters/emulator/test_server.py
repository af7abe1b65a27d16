"""The emulator behind a port, and the notifications on their way to a shop."""

import http.client
import json
import socket
import ssl
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import quote_plus

import pytest
import trustme

from kessai import HttpTransport
from kessai.gateway import Failure, Request
from kessai_adapters.emulator import Fault, NotificationSender, Patience, serve

CAPTURE = "/paynow/v2/Capture/amazonpay"
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)


@pytest.fixture
def server(emulator):
    with serve(emulator) as server:
        yield server


class Client:
    """Sends to a server."""

    def __init__(self, url, **given):
        self._url, self._transport = url, HttpTransport(**given)

    def send(self, method, path, body=b"", headers=FORM):
        url = self._url + path
        request = Request(method=method, url=url, headers=headers, body=body)
        return self._transport.send(request)

    def command(self, path, body):
        """The status of a command, or None without a reply."""
        reply = self.send("POST", path, body)
        if isinstance(reply, Failure):
            return None
        return json.loads(reply.body)["result"]["mstatus"]

    def close(self):
        self._transport.close()


@pytest.fixture
def client(server):
    with closing(Client(server.url)) as client:
        yield client


@pytest.fixture
def body(shop, sign):
    shop.authorized("A-1", 1000)
    return quote_plus(sign({"orderId": "A-1", **shop.common()})).encode()


def test_a_command_goes_over_http(client, body, shop):
    assert client.command(CAPTURE, body) == "success"
    assert shop.status("A-1") == "captured"
    assert client.send("POST", CAPTURE, b"{", headers=()).status == 400
    assert client.send("GET", "/").status == 404
    assert client.send("PUT", "/").status == 501


def test_a_command_goes_over_https_with_a_verified_certificate(
    emulator, body, tmp_path
):
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)

    tls = (tmp_path / "cert.pem", tmp_path / "key.pem")
    with serve(emulator, tls=tls) as server:
        assert server.url.startswith("https://127.0.0.1:")
        with closing(Client(server.url, tls=trusted)) as client:
            assert client.command(CAPTURE, body) == "success"
        with closing(Client(server.url)) as stranger:
            assert stranger.send("GET", "/").sent is False


def test_the_server_leads_the_consumer_to_its_own_pages(emulator, server, client, shop):
    emulator.approve = "ask"
    reply = shop.authorized("A-1")
    url = emulator.consumer.page_url("A-1")
    assert url.startswith(server.url)
    assert url in reply["responseContents"]
    assert client.send("GET", url.removeprefix(server.url)).status == 200


@pytest.mark.parametrize(
    "fault", [Fault.LOSE_REPLY, Fault.REFUSE_CONNECTION, Fault.TRUNCATE]
)
def test_a_broken_exchange_breaks_the_connection(client, body, emulator, fault):
    emulator.misbehave(fault)
    assert client.send("POST", CAPTURE, body).sent is True
    assert client.send("POST", CAPTURE, body).status == 200


def test_a_body_too_large_or_of_unknown_length_is_not_read(server):
    address = server.url.removeprefix("http://")
    for headers, status in (
        ({"Content-Length": "1000001"}, 413),
        ({"Content-Length": "9" * 5000}, 413),
        ({"Content-Length": "-1"}, 411),
        ({"Transfer-Encoding": "chunked"}, 411),
    ):
        connection = http.client.HTTPConnection(address, timeout=60)
        connection.putrequest("POST", CAPTURE)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().status == status
        connection.close()


def test_closing_ends_connections_that_idle(emulator):
    server = serve(emulator)
    idle = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=60)
    idle.request("GET", "/")
    assert idle.getresponse().read() == b""
    server.close()
    assert idle.sock.recv(1) == b""
    idle.close()
    assert not [
        thread
        for thread in threading.enumerate()
        if thread.name.startswith("kessai-emulator")
    ]


def test_many_clients_move_no_yen_twice(server, shop, sign, emulator):
    shop.captured("A-1", 100)
    signed = sign({"orderId": "A-1", "amount": "7", **shop.common()})
    body = quote_plus(signed).encode()
    replies = []

    def refund():
        with closing(Client(server.url)) as client:
            for _ in range(5):
                path = CAPTURE.replace("Capture", "Refund")
                replies.append(client.command(path, body))

    threads = [threading.Thread(target=refund) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies.count("success") == 14
    assert emulator.totals()["refunded"] == 98


class Merchant(HTTPServer):
    """A merchant's server that answers with the statuses it was given."""

    def __init__(self, *statuses):
        self.statuses = list(statuses)
        self.bodies = []
        self.signatures = []
        super().__init__(("127.0.0.1", 0), Notified)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/push?shop=1"


class Notified(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.server.bodies.append((self.path, self.rfile.read(length)))
        self.server.signatures.append(self.headers["Content-Hmac"])
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


def test_a_notification_is_repeated_until_the_shop_answers_200(
    emulator, shop, merchant
):
    with NotificationSender(emulator, patience=Patience(first_pause=0.001)) as sender:
        shop.authorized("A-1", authorizePushUrl=merchant.url)
        until(lambda: len(merchant.bodies) == 3)
    first, *again = merchant.bodies
    assert again == [first, first]
    assert first[0] == "/push?shop=1"
    assert merchant.signatures[0] == emulator.merchant.content_hmac(first[1])
    assert sender.undelivered == []


def test_a_notification_is_given_up_after_a_few_attempts(emulator, shop, merchant):
    merchant.statuses = [500] * 2
    patience = Patience(attempts=2, first_pause=0.001)
    with NotificationSender(emulator, patience=patience) as sender:
        shop.authorized("A-1", authorizePushUrl=merchant.url)
        until(lambda: sender.undelivered)
    assert len(merchant.bodies) == 2


def test_a_shop_elsewhere_is_not_called_by_accident(emulator, shop):
    with NotificationSender(emulator) as sender:
        shop.authorized("A-1", authorizePushUrl="https://shop.example/push")
        until(lambda: sender.undelivered)


def test_a_closed_port_and_a_closed_sender_lose_nothing_silently(emulator, shop):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    sender = NotificationSender(emulator, patience=Patience(first_pause=60))
    for scheme in ("http", "https"):
        url = f"{scheme}://127.0.0.1:{port}/"
        shop.authorized(f"A-{scheme}", authorizePushUrl=url)
    sender.close()
    assert len(sender.undelivered) == 2
