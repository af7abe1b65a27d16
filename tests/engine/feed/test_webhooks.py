"""Webhooks: signed as Standard Webhooks has it, at least once, in each order's order."""

import base64
import json
from contextlib import closing
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from kessai import Reply, SQLiteStore
from kessai.audit.archiving import archive
from kessai.driver import utc_now
from kessai.errors import InvalidInput, NotificationRefused, VersionConflict
from kessai.feed import delivery
from kessai.feed.sender import Deliveries, WebhookSender, check_url
from kessai.feed.signature import (
    WebhookSecret,
    check_webhook,
    read_secrets,
    signed_headers,
)
from kessai.flow.archive import Archivable
from kessai.limits import MOST_WAITING, WEBHOOK_PAUSES

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 24).decode()
NOW = utc_now()


class Endpoint:
    """Takes an event unless `refuses` says otherwise; a transport, too."""

    def __init__(self):
        self.refuses = lambda name: False
        self.tried, self.taken, self.requests = [], [], []

    def send(self, request):
        self.requests.append(request)
        data = json.loads(request.body)["data"]
        name = f"{data['transaction']}.{data['number']}"
        self.tried.append(name)
        if self.refuses(name):
            return Reply(status=500)
        self.taken.append(name)
        return Reply(status=204)

    def close(self):
        pass


@pytest.fixture
def endpoint():
    return Endpoint()


@pytest.fixture
def sender(shop, endpoint):
    return sender_of(shop, endpoint)


def sender_of(shop, endpoint):
    return WebhookSender(
        shop.engine.store,
        "mail",
        "https://shop.example/events",
        [WebhookSecret.read(SECRET)],
        transport=endpoint,
        clock=lambda: shop.now,
    )


def waiting(shop):
    found = delivery.waiting(shop.engine.store.subscriber("mail"))
    return [f"{each.transaction}.{each.number}" for each in found]


def dead(shop):
    found = delivery.dead(shop.engine.store.subscriber("mail"))
    return [f"{each.transaction}.{each.number}" for each in found]


# ── the signature ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("secret", [SECRET, OTHER])
def test_an_implementation_of_others_verifies_what_is_signed(secret):
    both = read_secrets(f"{SECRET} {OTHER}")
    headers = dict(signed_headers(both, "msg_1", utc_now(), b'{"a":1}'))
    assert Webhook(secret).verify(b'{"a":1}', headers) == {"a": 1}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(b'{"a":2}', headers)


def test_what_an_implementation_of_others_signs_is_verified():
    signature = Webhook(OTHER).sign("msg_1", NOW, "{}")
    headers = {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(int(NOW.timestamp())),
        "Webhook-Signature": f"v1a,AAAA v1,rubbish é {signature}",
    }
    both = read_secrets(f"{SECRET}\n{OTHER}\n")
    assert check_webhook(both, headers, b"{}", NOW) == "msg_1"
    for wrong in (
        {"Webhook-Id": "msg_2"},
        {"Webhook-Timestamp": "soon"},
        {"Webhook-Timestamp": str(int(NOW.timestamp()) + 1)},
        {"Webhook-Signature": ""},
    ):
        with pytest.raises(NotificationRefused):
            check_webhook(both, {**headers, **wrong}, b"{}", NOW)
    with pytest.raises(NotificationRefused):
        check_webhook(read_secrets(SECRET), headers, b"{}", NOW)
    for late in (timedelta(minutes=6), -timedelta(minutes=6)):
        with pytest.raises(NotificationRefused, match="too long ago"):
            check_webhook(both, headers, b"{}", NOW + late)


@pytest.mark.parametrize(
    "text",
    ["", "secret", "whsec_", "whsec_c2hvcnQ=", f"{SECRET}!", f"{SECRET} " * 3],
)
def test_what_is_no_secret_is_refused_and_not_quoted(text):
    with pytest.raises(InvalidInput) as refusal:
        read_secrets(text)
    assert "c2hvcnQ" not in str(refusal.value)
    assert SECRET[6:] not in str(refusal.value)


def test_no_repr_shows_a_secret():
    assert repr(WebhookSecret.read(SECRET)) == "WebhookSecret()"


@pytest.mark.parametrize(
    "url", ["http://shop.example/", "ftp://localhost/", "shop.example", "https//x"]
)
def test_an_event_leaves_the_machine_encrypted_or_not_at_all(shop, url):
    with pytest.raises(InvalidInput, match="webhook URL"):
        WebhookSender(shop.engine.store, "mail", url, [])


@pytest.mark.parametrize(
    "url", ["https://", "https://shop.example:99999/", "https://shop.example/a b"]
)
def test_what_no_request_can_go_to_is_refused_at_once(shop, url):
    with pytest.raises(InvalidInput, match="malformed"):
        WebhookSender(shop.engine.store, "mail", url, [])


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "it is empty"),
        ("shop.example", "does not begin with https://"),
        ("https://", "names no host"),
        ("https://:443/", "names no host"),
        ("https://ann:s3cret@shop.example/", "a password does not belong in it"),
        ("https://s3cret@shop.example/", "a password does not belong in it"),
        ("https://shop.example/#top", "'#' is never sent"),
        ("https://shop.example/a b", "%20 is right"),
        ("https://注文.example/", r"Punycode \(xn--…\)"),
        ("https://shop.example/注文", "%XX is right"),
        ("https://shop.example:a/", "HOST:PORT is right"),
        ("https://shop.example:0/", "1 to 65535 is right"),
    ],
)
def test_what_is_wrong_with_a_url_is_said_and_not_quoted(url, said):
    with pytest.raises(InvalidInput, match=said) as refused:
        check_url(url)
    assert "s3cret" not in str(refused.value)


def test_a_scheme_may_be_written_in_capitals(shop):
    WebhookSender(shop.engine.store, "mail", "HTTPS://shop.example/", []).close()


# ── the event ───────────────────────────────────────────────────────────────────────


def test_an_event_is_sent_as_a_signed_cloud_event(shop, sender, endpoint):
    shop.sells()
    assert sender.run() == Deliveries(delivered=5)
    event = list(shop.engine.events())[-1]
    request = endpoint.requests[-1]
    headers = dict(request.headers)
    assert headers["webhook-id"] == event.id
    assert headers["content-type"].startswith("application/cloudevents+json")
    sent = json.loads(request.body)
    assert sent.pop("data")["amount"] == 900
    assert sent == {
        "specversion": "1.0",
        "id": event.id,
        "type": "kessai.reported",
        "source": f"/kessai/{event.account}",
        "subject": "A-1",
        "time": "2026-07-01T03:02:00Z",
        "datacontenttype": "application/json",
    }


def test_a_receiver_on_the_network_verifies_and_takes_it(shop):
    received = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            Webhook(SECRET).verify(body, dict(self.headers))
            received.append(json.loads(body)["data"]["number"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    shop.sells()
    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        Thread(target=server.serve_forever, args=(0.01,)).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        secrets = read_secrets(SECRET)
        with closing(WebhookSender(shop.engine.store, "mail", url, secrets)) as sender:
            assert sender.run() == Deliveries(delivered=5)
        server.shutdown()
    assert received == [1, 2, 3, 4, 5]


# ── what is not taken ───────────────────────────────────────────────────────────────


def test_what_fails_holds_back_its_own_transaction_alone(shop, sender, endpoint):
    shop.sells("A-1")
    shop.sells("A-2")
    endpoint.refuses = lambda name: name == "A-1.2"
    sent = sender.run()
    assert (sent.delivered, sent.failed, sent.reason) == (6, 1, "status 500")
    assert endpoint.taken == ["A-1.1", *(f"A-2.{n}" for n in range(1, 6))]
    assert waiting(shop) == ["A-1.2", "A-1.3", "A-1.4", "A-1.5"]
    endpoint.refuses = lambda name: False
    sent = sender.run()
    assert (sent.delivered, sent.failed) == (0, 0)  # its pause is not over
    shop.now += WEBHOOK_PAUSES[0]
    assert sender.run() == Deliveries(delivered=4)
    assert endpoint.taken[6:] == ["A-1.2", "A-1.3", "A-1.4", "A-1.5"]
    assert waiting(shop) == dead(shop) == []


def test_after_the_last_pause_it_is_a_dead_letter_and_the_later_ones_go_on(
    shop, sender, endpoint
):
    shop.sells()
    endpoint.refuses = lambda name: name == "A-1.1"
    for pause in (*WEBHOOK_PAUSES, timedelta(0)):
        assert dead(shop) == []
        assert sender.run().failed == 1
        shop.now += pause
    assert endpoint.tried.count("A-1.1") == len(WEBHOOK_PAUSES) + 1
    assert dead(shop) == ["A-1.1"]
    assert endpoint.taken == ["A-1.2", "A-1.3", "A-1.4", "A-1.5"]
    (letter,) = delivery.dead(shop.engine.store.subscriber("mail"))
    assert (letter.reason, letter.attempts) == ("status 500", 10)
    endpoint.refuses = lambda name: False
    before = shop.engine.store.subscriber("mail")
    shop.engine.store.advance(delivery.replayed(before, [letter.id], shop.now))
    assert sender.run() == Deliveries(delivered=1)
    assert endpoint.taken[-1] == "A-1.1"
    assert dead(shop) == []


def test_what_is_left_of_an_archived_transaction_is_sent_again(
    shop_on, tmp_path, endpoint
):
    shop = shop_on(SQLiteStore(tmp_path / "shop.db"))
    shop.now -= timedelta(days=400)
    sender = sender_of(shop, endpoint)
    shop.does("authorize", amount=1000, lifecycle="one_time")
    shop.does("cancel")
    sender.run()
    last = Archivable(until=shop.now + timedelta(days=1))
    assert archive(shop.engine, tmp_path / "old.db", last, actor="sato").moved == 1
    (left,) = shop.engine.store.records("A-1")
    endpoint.refuses = lambda name: name == f"A-1.{left.number}"
    assert sender.run().failed == 1
    endpoint.refuses = lambda name: False
    shop.now += WEBHOOK_PAUSES[0]
    shop.does("authorize", "A-2", amount=1000, lifecycle="one_time")
    assert sender.run().waiting == 0
    assert f"A-1.{left.number}" in endpoint.taken
    assert "A-2.1" in endpoint.taken


def test_the_same_event_is_the_same_webhook_at_each_attempt(shop, sender, endpoint):
    shop.sells()
    endpoint.refuses = lambda name: name == "A-1.1"
    sender.run()
    shop.now += WEBHOOK_PAUSES[0]
    sender.run()
    first, *_, last = endpoint.requests
    assert dict(first.headers)["webhook-id"] == dict(last.headers)["webhook-id"]
    assert first.body == last.body


def test_an_endpoint_that_is_down_is_left_alone_and_no_event_is_lost(
    shop, sender, endpoint
):
    orders = [f"A-{number}" for number in range(MOST_WAITING // 4)]
    for order in orders:
        shop.sells(order)
    endpoint.refuses = lambda name: True
    sender.run()
    assert len(waiting(shop)) == MOST_WAITING
    assert len(endpoint.tried) == MOST_WAITING // 5
    assert sender.run() == Deliveries(waiting=MOST_WAITING, reason="status 500")
    endpoint.refuses = lambda name: False
    shop.now += WEBHOOK_PAUSES[0]
    sender.run()
    assert len(endpoint.taken) == 5 * len(orders)
    for order in orders:
        taken = [name for name in endpoint.taken if name.startswith(f"{order}.")]
        assert taken == [f"{order}.{number}" for number in range(1, 6)]


def test_an_endpoint_in_trouble_is_no_matter_of_another(shop, sender, endpoint):
    shop.sells()
    endpoint.refuses = lambda name: True
    sender.run()
    taken = []
    assert shop.engine.relay("books", taken.append) == 5


def test_what_dies_after_sending_sends_again(shop, sender, endpoint, monkeypatch):
    shop.sells()
    monkeypatch.setattr(shop.engine.store, "advance", _dies)
    with pytest.raises(KeyboardInterrupt):
        sender.run()
    monkeypatch.undo()
    sender.run()
    assert endpoint.taken == ["A-1.1", *(f"A-1.{n}" for n in range(1, 6))]


def _dies(_):
    raise KeyboardInterrupt


def test_of_two_senders_for_one_subscriber_one_is_refused(shop, sender):
    shop.sells()
    store = shop.engine.store

    def another(_):
        store.advance(store.subscriber("mail").moved(position="1"))
        return False

    with pytest.raises(VersionConflict):
        sender.run(is_stopped=lambda: another(None))


def test_it_stops_between_two_events_and_goes_on_there(shop, sender, endpoint):
    shop.sells()
    sender.run(is_stopped=lambda: len(endpoint.taken) == 2)
    assert endpoint.taken == ["A-1.1", "A-1.2"]
    sender.run()
    assert endpoint.taken == [f"A-1.{n}" for n in range(1, 6)]
