"""The endpoint as servers and frameworks meet it: what it reads, and what it answers."""

import asyncio

import attrs
import pytest

from kessai import MemoryStore, NotificationEndpoint, answer_notification_async
from kessai.errors import (
    CommitUnknown,
    StoreBusy,
    StoreFailed,
    UnknownLifecycle,
    VersionConflict,
)
from kessai.http.notifications import LARGEST_NOTIFICATION


class Failing(MemoryStore):
    """A store that fails to append as long as there is an `error`."""

    error = None

    def append(self, change):
        if self.error is not None:
            raise self.error
        super().append(change)


@pytest.fixture
def store():
    return Failing()


@pytest.fixture
def waiting(make_shop, store):
    """A shop with an order whose notification is on its way."""
    shop = make_shop(store)
    return shop, shop.approved()


@pytest.fixture
def kind():
    return "asgi"


@pytest.fixture
def call(serve_one):
    return serve_one


def parts_of(body, size):
    """`body` as a server hands it over, piece by piece."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
    return [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces) - 1}
        for number, piece in enumerate(pieces)
    ]


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_body_may_come_in_pieces(waiting, call, as_asgi, size):
    shop, notification = waiting
    scope, _ = as_asgi(notification)
    assert call(shop.endpoint, scope, parts_of(notification.body, size)).status == 200
    assert shop.transaction().status == "payment.authorized"


def test_an_empty_last_piece_ends_it(waiting, call, as_asgi):
    shop, notification = waiting
    scope, [whole] = as_asgi(notification)
    messages = [{**whole, "more_body": True}, {"type": "http.request"}]
    assert call(shop.endpoint, scope, messages).status == 200


@pytest.mark.parametrize("whole", [0, 1, 3])
def test_a_client_that_goes_away_in_the_middle_changes_nothing(
    waiting, call, as_asgi, whole, log
):
    shop, notification = waiting
    scope, _ = as_asgi(notification)
    before = shop.kinds()
    sent = [*parts_of(notification.body, 50)[:whole], {"type": "http.disconnect"}]
    assert call(shop.endpoint, scope, sent).status is None
    assert shop.kinds() == before
    assert log() == []


def test_a_body_without_end_is_read_no_further_than_the_limit(waiting, call, as_asgi):
    shop, notification = waiting
    scope, _ = as_asgi(notification)
    piece = {"type": "http.request", "body": b"x" * 65_536, "more_body": True}
    answer = call(shop.endpoint, scope, [piece] * 1000)
    assert answer.status == 413
    assert answer.read == LARGEST_NOTIFICATION // 65_536 + 1
    assert answer.headers["connection"] == "close"
    scope["http_version"] = "2"  # which knows no such header
    assert "connection" not in call(shop.endpoint, scope, [piece] * 1000).headers


@pytest.mark.parametrize("length", ["1048577", "9" * 18])
def test_a_body_that_is_announced_too_long_is_not_read(
    waiting, call, as_asgi, length, log
):
    shop, notification = waiting
    scope, messages = as_asgi(notification)
    scope["headers"].append((b"content-length", length.encode()))
    answer = call(shop.endpoint, scope, messages)
    assert (answer.status, answer.read) == (413, 0)
    assert log() == [("WARNING", "answered 413: its body is too long")]


@pytest.mark.parametrize("length", ["nonsense", "-1", "9" * 5000, "1"])
def test_what_is_announced_wrongly_is_counted(waiting, call, as_asgi, length):
    shop, notification = waiting
    scope, messages = as_asgi(notification)
    scope["headers"].append((b"content-length", length.encode()))
    assert call(shop.endpoint, scope, messages).status == 200


def test_the_plain_functions_know_the_limit_too(waiting):
    shop, notification = waiting
    body = b"x" * (LARGEST_NOTIFICATION + 1)
    answer = shop.run(
        answer_notification_async(shop.engine, notification.headers, body)
    )
    assert answer.status == 413


def test_a_body_that_does_not_come_is_not_waited_for(waiting, call, as_asgi, log):
    shop, notification = waiting
    scope, messages = as_asgi(notification)
    endpoint = NotificationEndpoint(shop.engine, patience=0.05)
    answer = call(endpoint, scope, [{**messages[0], "more_body": True}])
    assert answer.status == 408
    assert shop.kinds() == ["Begun", "Reported"]
    assert log() == [("WARNING", "answered 408: its body is too slow")]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_only_post_is_served(waiting, call, as_asgi, method):
    shop, notification = waiting
    answer = call(shop.endpoint, *as_asgi(notification, method=method))
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert shop.kinds() == ["Begun", "Reported"]


def doubled(proof):
    other = proof[:-1] + ("0" if proof[-1] != "0" else "1")
    return [[proof, proof], [proof, other], [other, proof], [proof, ""], ["", proof]]


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize(
    "names", [("Content-Hmac",) * 2, ("Content-Hmac", "CONTENT-HMAC")]
)
def test_two_signatures_are_none(waiting, call, as_asgi, place, names):
    shop, notification = waiting
    pair = doubled(notification.headers["Content-Hmac"])[place]
    twice = attrs.evolve(notification, headers=list(zip(names, pair, strict=True)))
    assert call(shop.endpoint, *as_asgi(twice)).status == 400
    assert shop.kinds() == ["Begun", "Reported"]


def test_headers_of_any_bytes_are_no_error(waiting, call, as_asgi):
    shop, notification = waiting
    scope, messages = as_asgi(notification)
    strange = [
        (b"\xff\x00", b"\xe3\x81\x82"),
        (b"content-hmac", b"\xff\xfe"),
        (b"", b""),
    ]
    scope["headers"] = strange
    assert call(shop.endpoint, scope, messages).status == 400


def test_an_answer_is_short_plain_and_has_its_length(waiting, call, as_asgi):
    shop, notification = waiting
    answer = call(shop.endpoint, *as_asgi(notification))
    assert answer.body == b"recorded\n"
    assert answer.headers == {"content-type": "text/plain", "content-length": "9"}


@pytest.mark.parametrize("closes_engine", [True, False])
def test_it_begins_and_ends_with_its_server(waiting, store, monkeypatch, closes_engine):
    shop, _ = waiting
    endpoint = NotificationEndpoint(shop.engine, closes_engine=closes_engine)
    answers = []

    async def live():
        messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

        async def receive():
            await asyncio.sleep(0)
            return messages.pop(0)

        async def send(message):
            await asyncio.sleep(0)
            answers.append(message["type"])

        await endpoint({"type": "lifespan"}, receive, send)

    monkeypatch.setattr(store, "close", lambda: answers.append("closed"))
    shop.run(live())
    closed = ["closed"] if closes_engine else []
    ends = ["lifespan.startup.complete", *closed, "lifespan.shutdown.complete"]
    assert answers == ends


def test_a_websocket_is_closed(waiting):
    shop, _ = waiting
    answers = []

    async def send(message):
        await asyncio.sleep(0)
        answers.append(message["type"])

    shop.run(shop.endpoint({"type": "websocket"}, None, send))
    assert answers == ["websocket.close"]


def test_another_protocol_is_a_mistake(waiting):
    shop, _ = waiting
    with pytest.raises(ValueError, match="not by 'mqtt'"):
        shop.run(shop.endpoint({"type": "mqtt"}, None, None))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (StoreBusy("busy"), 503),
        (StoreFailed("no room"), 503),
        (CommitUnknown("perhaps"), 503),
        (VersionConflict("contended"), 503),
        (UnknownLifecycle("no file"), 500),
    ],
)
def test_200_is_never_answered_in_doubt(waiting, store, log, error, status):
    shop, notification = waiting
    store.error = error
    answer = shop.answer(notification)
    assert answer.status == status
    assert answer.headers.get("retry-after") == ("60" if status == 503 else None)
    [(logged, text)] = log()
    assert logged == ("ERROR" if status == 500 else "WARNING")
    assert text.startswith(f"answered {status}: ")
    store.error = None
    assert shop.deliver(notification, notification) == [200, 200]
    assert shop.kinds() == ["Begun", "Reported", "Reported"]


def test_a_mistake_is_not_taken_for_an_answer(waiting, store):
    """The server logs it and answers 500, so the notification comes again."""
    shop, notification = waiting
    store.error = ZeroDivisionError("a mistake")
    with pytest.raises(ZeroDivisionError):
        shop.answer(notification)
    store.error = None
    assert shop.deliver(notification) == [200]
