"""Control of a served emulator over HTTP, as a test in any language has it."""

import base64
import http.client
import json
from contextlib import closing
from datetime import UTC, datetime

import pytest

from kessai_adapters.emulators import (
    Controls,
    EmulatorClock,
    Notification,
    NotificationSender,
    Patience,
    serve,
)

DEAF = Patience(attempts=1, first_pause=0)


@pytest.fixture
def moved(clock):
    """The clock that can be moved, standing on the test's own."""
    return EmulatorClock(clock)


@pytest.fixture
def address(till, moved):
    def open_at(url):
        till.url = url
        return till.become("T-1", "open")

    controls = Controls(
        gateway="till",
        clock=moved,
        orders=lambda: till.orders,
        triggers={"order.open": open_at},
    )
    with serve(till, controls=controls) as server:
        yield server.url.removeprefix("http://")


@pytest.fixture
def ask(address):
    """Return a function that sends one request: its status, and its answer."""

    def ask(method, path, asked=None, **headers):
        body = b"" if asked is None else json.dumps(asked).encode()
        with closing(http.client.HTTPConnection(address, timeout=60)) as connection:
            connection.request(method, f"/_emulator/{path}", body, headers)
            reply = connection.getresponse()
            return reply.status, json.loads(reply.read())

    return ask


@pytest.fixture
def pay(address):
    """Return a function that has the gateway itself asked."""

    def pay(method="POST"):
        with closing(http.client.HTTPConnection(address, timeout=60)) as connection:
            connection.request(method, "/orders/A-1")
            return connection.getresponse().status

    return pay


def test_it_says_what_there_is(ask):
    status, found = ask("GET", "")
    assert status == 200
    assert found["gateway"] == "till"
    assert found["commands"] == ["open", "read"]
    assert {"lose_reply", "http_429", "later"} <= set(found["faults"])
    assert found["consumer"] == {"approve": {"order": "string"}}
    assert found["portal"]["refund"] == {
        "order": "string",
        "amount": "integer, optional",
    }
    assert found["triggers"] == ["order.open"]


def test_faults_are_asked_for_listed_and_taken_back(ask, pay):
    asked = {"fault": "http_500", "command": "open", "times": 2}
    waiting = [{"fault": "http_500", "command": "open", "left": 2, "carried_out": True}]
    assert ask("POST", "faults", asked) == (200, {"waiting": waiting})
    assert pay() == 500
    assert ask("GET", "faults")[1]["waiting"][0]["left"] == 1
    assert ask("DELETE", "faults") == (200, {"waiting": []})
    assert pay() == 200


def test_the_clock_is_read_advanced_and_set(ask, moved, clock):
    assert ask("GET", "clock") == (200, {"now": "2024-06-01T03:00:00Z"})
    later = ask("POST", "clock", {"advance": {"days": 30, "seconds": 1.5}})
    assert later == (200, {"now": "2024-07-01T03:00:01.500000Z"})
    ask("POST", "clock", {"set": "2026-01-01T09:00:00+09:00"})
    clock.pass_days(1)
    assert moved() == datetime(2026, 1, 2, tzinfo=UTC), "it runs on"


def test_consumer_portal_and_outcome_are_played(ask, pay, till):
    till.misbehave("later")
    pay()
    assert ask("POST", "complete", {"order": "A-1"}) == (200, {"result": "completed"})
    assert ask("POST", "fail", {"order": "A-1"})[0] == 409
    ask("POST", "consumer/approve", {"order": "A-1"})
    found = ask("POST", "portal/refund", {"order": "A-1", "amount": 30})
    assert found == (200, {"result": "refunded 30"})
    assert ask("GET", "orders") == (200, {"orders": {"A-1": "refunded 30"}})
    assert ask("GET", "orders/A-1") == (200, "refunded 30")


def test_what_cannot_be_now_is_a_conflict_with_the_reason(ask):
    found = ask("POST", "consumer/approve", {"order": "nowhere"})
    assert found == (409, {"error": "no order nowhere"})


def test_notifications_are_listed_as_they_came_and_replayed_by_id(ask, till):
    for order in ("A-1", "A-2"):
        till.become(order, "open")
    with NotificationSender(till, patience=DEAF):
        pass  # nobody listens there
    first, second = ask("GET", "notifications")[1]["notifications"]
    assert (first["number"], first["id"], first["order"]) == (1, "n1", "A-1")
    assert first["name"] == "order.open"
    assert json.loads(first["body"]) == {"order": "A-1", "state": "open"}
    assert (first["delivery"], first["attempts"]) == ("undelivered", 1)

    later = ask("GET", "notifications?after=1&limit=5")[1]["notifications"]
    assert [one["number"] for one in later] == [2]
    assert ask("GET", "")[1]["notifications"] == 2

    again = ask("POST", f"notifications/{second['id']}/replay")[1]
    assert (again["number"], again["id"], again["delivery"]) == (3, "n2", "waiting")
    assert [taken.order for taken in till.take_notifications()] == ["A-2"]
    assert ask("GET", "notifications/n2") == (200, again)


def test_a_notification_is_triggered_by_its_name(ask, till):
    url = "http://127.0.0.1:9/elsewhere"
    assert ask("POST", "triggers/order.open", {"url": url}) == (200, {"result": "open"})
    (notification,) = till.take_notifications()
    assert (notification.name, notification.url) == ("order.open", url)


@pytest.mark.parametrize(
    ("request_", "status", "reason"),
    [
        (("POST", "faults", {"fault": "sulk"}), 400, "no fault 'sulk': garbage"),
        (("POST", "faults", {}), 400, "missing required field `fault`"),
        (("POST", "faults", {"fault": "garbage", "times": "2"}), 400, "Expected `int`"),
        (
            ("POST", "faults", {"fault": "garbage", "time": 2}),
            400,
            '"times":"integer, opt',
        ),
        (("POST", "faults", ["garbage"]), 400, "the body is a JSON object"),
        (("POST", "clock", {}), 400, "one of `advance` and `set`"),
        (("POST", "clock", {"advance": {"weeks": 1}}), 400, "unknown field `weeks`"),
        (("POST", "clock", {"advance": {"days": -1}}), 400, "forward"),
        (("POST", "clock", {"advance": {"days": 1e7}}), 400, "the year 9999"),
        (("POST", "clock", {"advance": {"days": 1e300}}), 400, "the year 9999"),
        (("POST", "clock", {"advance": {"days": 99999999999}}), 400, "the year 9999"),
        (("POST", "clock", {"advance": {"days": 999999999}}), 400, "the year 9999"),
        (("POST", "clock", {}), 400, "object of days, hours, minutes, seconds, opt"),
        (("POST", "clock", {}), 400, "time as in 2024-06-01T00:00:00Z, optional"),
        (("POST", "clock", {"set": "2024-06-01T00:00:00"}), 400, "no time zone"),
        (("POST", "consumer/dance", {}), 404, "no act 'dance': approve"),
        (("POST", "consumer", {}), 404, "what to do: approve"),
        (("POST", "consumer/approve", {}), 400, 'right would be {"order":"string"}'),
        (("POST", "portal/refund", {"order": 1}), 400, "Expected `str`, got `int`"),
        (("POST", "portal/refund/now", {}), 404, "nothing at 'now'"),
        (("POST", "triggers/x", {"url": "u"}), 404, "no trigger 'x': order.open"),
        (("POST", "triggers", {}), 404, "triggers: order.open"),
        (("POST", "notifications/n9/replay", {}), 409, "no notification n9"),
        (("POST", "notifications/n9", {}), 404, "POST notifications/ID/replay"),
        (("GET", "orders/A-9", None), 404, "no order 'A-9'"),
        (("GET", "notifications?after=x", None), 400, "Expected `int`"),
        (("GET", "notifications?since=1", None), 400, '"after":"integer, optional"'),
        (("PUT", "faults", {}), 405, "GET, POST, DELETE, not PUT"),
        (("GET", "weather", None), 404, "nothing at 'weather': faults, clock"),
    ],
)
def test_what_is_wrong_is_refused_and_says_what_would_be_right(
    ask, till, request_, status, reason
):
    found, answer = ask(*request_)
    assert (found, reason in answer["error"]) == (status, True), answer
    assert list(till.mishaps) == []
    assert till.orders == {}


def test_a_body_that_is_no_text_loses_no_byte(ask, till):
    body = "注文".encode("shift_jis")
    till.outbox.put(
        Notification(id="n1", name="x", url=till.url, headers={}, body=body)
    )
    (found,) = ask("GET", "notifications")[1]["notifications"]
    assert found["body"] is None
    assert base64.b64decode(found["body_base64"]) == body


@pytest.mark.parametrize(
    "headers", [{"Host": "gateway.example"}, {"Origin": "http://127.0.0.1"}]
)
def test_no_web_page_controls_it(ask, till, headers):
    status, _ = ask("POST", "faults", {"fault": "garbage"}, **headers)
    assert status == 403
    assert list(till.mishaps) == []


def test_an_emulator_without_a_clock_of_ours_says_so(till):
    with serve(till) as server:
        address = server.url.removeprefix("http://")
        with closing(http.client.HTTPConnection(address, timeout=60)) as connection:
            connection.request("GET", "/_emulator/clock")
            reply = connection.getresponse()
            assert reply.status == 404
            assert b"without a clock" in reply.read()


def test_the_journal_remembers_the_latest_alone(till):
    for number in range(1100):
        till.become(f"A-{number}", "open")
    assert len(till.outbox) == 1100, "what is owed is not forgotten"
    assert len(till.outbox.journal) == 1000
    assert till.outbox.journal[-1].number == 1100
