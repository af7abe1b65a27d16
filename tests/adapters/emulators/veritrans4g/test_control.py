"""The emulator as it is controlled over HTTP."""

import http.client
import json
from contextlib import closing

import pytest

from kessai_adapters.veritrans4g.local import LocalGateway

HOOK = "http://127.0.0.1:9/hook"


@pytest.fixture
def local():
    with closing(LocalGateway(approve="ask")) as local:
        yield local


@pytest.fixture
def ask(local):
    """Return a function that sends one request to the served emulator."""
    with local.serve(port=0) as server:
        address = server.url.removeprefix("http://")

        def ask(method, path, **asked):
            with closing(http.client.HTTPConnection(address, timeout=60)) as connection:
                connection.request(method, f"/_emulator/{path}", json.dumps(asked))
                reply = connection.getresponse()
                return reply.status, json.loads(reply.read())

        yield ask


def test_it_offers_what_its_consumer_and_its_portal_can_do(ask):
    _, found = ask("GET", "")
    assert found["gateway"] == "veritrans4g"
    acts = {"approve", "decline", "log_in", "refuse_card", "close_browser"}
    assert acts <= set(found["consumer"])
    assert "meet" not in found["consumer"], "that takes what JSON has not"
    assert set(found["portal"]) == {
        "capture",
        "cancel",
        "refund",
        "terminate",
        "expire",
    }
    assert {"pending", "refuse", "shift_jis"} <= set(found["faults"])


@pytest.mark.parametrize(
    ("name", "notified"),
    [
        ("Authorize", ["Authorize"]),
        ("Capture", ["Authorize", "Capture"]),
        ("Cancel", ["Authorize", "Cancel"]),
        ("Refund", ["Authorize", "Capture", "Refund"]),
        ("Terminate", ["Authorize", "Terminate"]),
    ],
)
def test_a_trigger_makes_happen_what_its_notification_reports(
    ask, local, name, notified
):
    order = ask("POST", f"triggers/{name}", url=HOOK)[1]["result"]
    found = ask("GET", "notifications")[1]["notifications"]
    assert [entry["name"] for entry in found] == notified
    assert {(entry["order"], entry["url"]) for entry in found} == {(order, HOOK)}
    assert len(local.emulator.books[order].exchanges) == len(notified)


def test_the_portal_obeys_the_gateways_rules_by_its_own_words(ask):
    order = ask("POST", "triggers/Capture", url=HOOK)[1]["result"]
    status, refunded = ask("POST", "portal/refund", order=order, amount=400)
    assert (status, refunded["result"]["amount"]) == (200, 400)
    assert ask("GET", f"orders/{order}")[1]["refunded"] == 400
    status, refused = ask("POST", "portal/refund", order=order, amount=601)
    assert status == 409
    assert refused["error"].startswith("NH0")


def test_an_authorization_expires_by_the_clock_that_is_moved(ask, local):
    order = ask("POST", "triggers/Authorize", url=HOOK)[1]["result"]
    ask("POST", "clock", advance={"days": 30})
    local.emulator.totals()
    assert ask("GET", f"orders/{order}")[1]["payment"] == "expired"


def test_a_url_that_is_none_is_refused_as_the_gateway_does(ask):
    assert ask("POST", "triggers/Authorize", url="hook")[0] == 409
