"""The emulator behind a port."""

import http.client
import json
import threading
from contextlib import closing
from urllib.parse import quote_plus

import pytest

from kessai_adapters.emulators import serve

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def server(emulator):
    with serve(emulator) as server:
        yield server


@pytest.fixture
def send(server):
    """Return a function that sends one request over a connection of its own."""

    def send(method, path, body=b""):
        address = server.url.removeprefix("http://")
        with closing(http.client.HTTPConnection(address, timeout=60)) as connection:
            connection.request(method, path, body, FORM)
            reply = connection.getresponse()
            return reply.status, reply.read()

    return send


def test_a_command_goes_over_http(send, shop, sign):
    shop.authorized("A-1", 1000)
    signed = quote_plus(sign({"orderId": "A-1", **shop.common()})).encode()
    _, body = send("POST", "/paynow/v2/Capture/amazonpay", signed)
    assert json.loads(body)["result"]["mstatus"] == "success"
    assert shop.status("A-1") == "captured"
    assert send("POST", "/paynow/v2/Capture/amazonpay", b"{")[0] == 400
    assert send("GET", "/")[0] == 404
    assert send("PUT", "/paynow/v2/Capture/amazonpay")[0] == 405


def test_the_server_leads_the_consumer_to_its_own_pages(emulator, server, send, shop):
    emulator.approve = "ask"
    reply = shop.authorized("A-1")
    url = emulator.consumer.page_url("A-1")
    assert url.startswith(server.url)
    assert url in reply["responseContents"]
    assert send("GET", url.removeprefix(server.url))[0] == 200


def test_many_clients_move_no_yen_twice(send, shop, sign, emulator):
    shop.captured("A-1", 100)
    signed = sign({"orderId": "A-1", "amount": "7", **shop.common()})
    body = quote_plus(signed).encode()
    replies = []

    def refund():
        for _ in range(5):
            _, reply = send("POST", "/paynow/v2/Refund/amazonpay", body)
            replies.append(json.loads(reply)["result"]["mstatus"])

    threads = [threading.Thread(target=refund) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies.count("success") == 14
    assert emulator.totals()["refunded"] == 98
