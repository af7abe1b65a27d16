"""Payments through our adapter at localstripe, which others made from Stripe's documents.

Where it knows less of Stripe than the adapter asks for, the wire says so in its words; each
of those places is a row of `localstripe.toml`.
"""

import json
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count
from queue import Queue
from threading import Thread
from urllib.parse import parse_qsl, urlencode

import attrs
import httpx
import pytest
import stripe

from kessai import Command, Engine, HttpTransport, MemoryStore, Status
from kessai.audit import verify
from kessai.driver import utc_now
from kessai.errors import NotificationRefused
from kessai.gateway import Failure
from kessai_adapters.stripe import Stripe, StripeCredentials

KEY, SECRET = "sk_test_counterpart", "whsec_counterpart"
ASKS, PAYS = "4000002500003155", "4242424242424242"
"""Stripe's numbers for tests: 3-D Secure asks; nothing is the matter."""
NUMBERS = count(1)
KINDS = ["payment_intent.succeeded", "payment_intent.payment_failed"]


class Wire:
    """The way to localstripe. What it does not know is said in its words, or added."""

    def __init__(self):
        self._http = HttpTransport()
        self.loses_replies = False

    def send(self, request):
        if request.method == "POST" and request.url.endswith("/capture"):
            request = self._without_metadata(request)
        reply = self._http.send(request)
        if self.loses_replies:
            return Failure(sent=True, reason="no reply came")
        return self._with_amounts(reply)

    def _without_metadata(self, request):
        """A capture takes no metadata there: they are written by a request before it."""
        fields = parse_qsl(request.body.decode())
        metadata = [(name, value) for name, value in fields if "metadata" in name]
        rest = [pair for pair in fields if pair not in metadata]
        first = attrs.evolve(
            request,
            url=request.url.removesuffix("/capture"),
            body=urlencode(metadata).encode(),
        )
        assert self._http.send(first).status == 200
        return attrs.evolve(request, body=urlencode(rest).encode())

    def _with_amounts(self, reply):
        """An intent does not state what was captured; its charge and refunds do."""
        stated = json.loads(reply.body)
        if stated.get("object") != "payment_intent":
            return reply
        charge, received = stated["latest_charge"], 0
        if stated["status"] == "succeeded":
            refunds = charge["refunds"]["data"]
            left_over = [one["amount"] for one in refunds if not one["payment_intent"]]
            received = charge["amount"] - sum(left_over)
        body = json.dumps({**stated, "amount_received": received}).encode()
        return attrs.evolve(reply, body=body)

    def close(self):
        self._http.close()


class Hook(BaseHTTPRequestHandler):
    """Takes in what is sent to the shop."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.put((dict(self.headers), body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def client(localstripe):
    """Stripe's own client, which plays the consumer."""
    return stripe.StripeClient(KEY, base_addresses={"api": localstripe})


@pytest.fixture(scope="module")
def heard(localstripe):
    """The webhooks that have come in."""
    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        server.heard = Queue()
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        wanted = {"url": url, "secret": SECRET, "events": KINDS}
        config = f"{localstripe}/_config/webhooks/shop"
        assert httpx.post(config, json=wanted).status_code == 200
        yield server.heard
        server.shutdown()


@attrs.define
class Shop:
    """An order system at localstripe; its clock is the real one, and can be moved on."""

    engine: Engine
    wire: Wire
    heard: Queue
    moved: list
    order: str = attrs.field(factory=lambda: f"order-{next(NUMBERS)}")

    def asks(self, command, order=None, /, **given):
        if given.get("currency") and "agreement" not in given:
            given.setdefault("lifecycle", "card")
        key = f"key-{next(NUMBERS)}"
        return self.engine.execute(
            Command(command, order or self.order, key=key, **given)
        )

    def authorizes(self, method="pm_card_visa", **parameters):
        given = {"payment_method": method, **parameters}
        return self.asks("authorize", amount=1000, currency="JPY", parameters=given)

    def hears(self, kind):
        """A webhook about the order; Stripe's client verifies it as the adapter does."""
        about = None
        while about != (kind, self.order):  # others are of other tests
            headers, body = self.heard.get(timeout=20)
            signed = headers["Stripe-Signature"]
            event = stripe.Webhook.construct_event(body, signed, SECRET)
            metadata = json.loads(body)["data"]["object"]["metadata"]
            about = event.type, metadata.get("kessai_transaction")
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body + b" ", signed, SECRET)
        with pytest.raises(NotificationRefused):
            self.engine.receive_notification(headers, body + b" ")
        self.engine.receive_notification(headers, body)

    def recovers(self):
        self.moved.append(timedelta(minutes=11))
        self.engine.recover()

    def stands(self, order=None):
        found = self.engine.transaction(order or self.order)
        assert not found.discrepancies
        return found.status, {name: n for name, n in found.amounts.items() if n}

    def reference(self, kind="payment_intent", order=None):
        return self.engine.transaction(order or self.order).references[kind]


@pytest.fixture
def shop(localstripe, heard):
    wire, moved = Wire(), []
    engine = Engine(
        adapters=[
            Stripe(StripeCredentials(KEY, (SECRET,)), "acct_1", host=localstripe)
        ],
        store=MemoryStore(),
        transport=wire,
        clock=lambda: utc_now() + sum(moved, timedelta()),
    )
    with engine:
        yield Shop(engine, wire, heard, moved)
        assert verify(engine.store).holds


def a_card(client, number):
    """A card that the consumer has entered."""
    card = {"number": number, "exp_month": 12, "exp_year": 2040, "cvc": "123"}
    return client.v1.payment_methods.create({"type": "card", "card": card}).id


def answers(client, intent, *, success):
    """The cardholder answers 3-D Secure, as localstripe's script in the browser does."""
    secret = client.v1.payment_intents.retrieve(intent).client_secret
    path = f"/v1/payment_intents/{intent}/_authenticate"
    client.raw_request("post", path, client_secret=secret, success=success)


def test_a_payment_goes_its_whole_way(shop, client):
    assert shop.authorizes().status is Status.SUCCEEDED
    assert shop.asks("capture", amount=400).status is Status.SUCCEEDED
    assert shop.asks("refund", amount=150).status is Status.SUCCEEDED
    assert shop.asks("refund", amount=251).status is Status.DENIED
    assert shop.asks("refund").status is Status.SUCCEEDED
    assert shop.asks("refund", amount=1).status is Status.DENIED
    amounts = {"authorized": 1000, "captured": 400, "released": 600, "refunded": 400}
    assert shop.stands() == ("payment.refunded", amounts)
    shop.hears("payment_intent.succeeded")  # inquires: all that is listed is known
    assert shop.stands() == ("payment.refunded", amounts)
    listed = client.v1.refunds.list({"payment_intent": shop.reference()})
    assert sorted(each.amount for each in listed.data) == [150, 250, 600]


def test_an_authorization_is_cancelled(shop, client):
    shop.authorizes()
    assert shop.asks("cancel").status is Status.SUCCEEDED
    assert shop.stands()[0] == "payment.cancelled"
    found = client.v1.payment_intents.retrieve(shop.reference())
    assert found.status == "canceled"


def test_a_card_is_declined_and_the_webhook_says_which_payment_it_was(shop):
    answer = shop.authorizes("pm_card_chargeCustomerFail")
    # Stripe shows the intent with the error; localstripe does not: nothing is guessed.
    assert (answer.status, answer.evidence.code) == (Status.UNKNOWN, "card_declined")
    shop.hears("payment_intent.payment_failed")
    assert shop.stands() == ("payment.failed", {})


@pytest.mark.parametrize(
    ("success", "status"), [(True, "payment.authorized"), (False, "payment.failed")]
)
def test_3d_secure_asks_the_cardholder(shop, client, success, status):
    answer = shop.authorizes(a_card(client, ASKS))
    assert answer.status is Status.PENDING
    assert answer.disclosed["client_secret"].startswith(shop.reference())
    answers(client, shop.reference(), success=success)
    shop.recovers()
    assert shop.stands()[0] == status


def test_a_webhook_ends_what_3d_secure_began(shop, client):
    shop.authorizes(a_card(client, ASKS), with_capture=True)
    answers(client, shop.reference(), success=True)
    shop.hears("payment_intent.succeeded")
    assert shop.stands()[0] == "payment.captured"


def test_a_webhook_names_the_payment_whose_reply_was_lost(shop):
    shop.wire.loses_replies = True
    assert shop.authorizes(with_capture=True).status is Status.UNKNOWN
    shop.wire.loses_replies = False
    shop.hears("payment_intent.succeeded")
    assert shop.stands() == ("payment.captured", {"authorized": 1000, "captured": 1000})


def test_a_card_is_saved_charged_while_its_owner_is_away_and_let_go(shop, client):
    customer = client.v1.customers.create({}).id
    card = a_card(client, PAYS)
    set_up = {"lifecycle": "saved_card", "currency": "JPY"}
    parameters = {"customer": customer}
    asked = shop.asks("set_up", "card-1", **set_up, parameters=parameters)
    assert asked.status is Status.PENDING
    # The consumer enters the card in the browser; localstripe does not attach it then.
    client.v1.payment_methods.attach(card, {"customer": customer})
    setup = shop.reference("setup_intent", "card-1")
    client.v1.setup_intents.confirm(setup, {"payment_method": card})
    shop.recovers()
    assert shop.stands("card-1")[0] == "consent.consented"

    charge = {"lifecycle": "saved_card_charge", "agreement": "card-1"}
    paid = shop.asks("authorize", "charge-1", amount=500, currency="JPY", **charge)
    assert paid.status is Status.SUCCEEDED
    assert shop.asks("capture", "charge-1").status is Status.SUCCEEDED
    assert shop.asks("terminate", "card-1").status is Status.SUCCEEDED
    assert client.v1.payment_methods.retrieve(card).customer is None
    again = shop.asks("authorize", "charge-2", amount=500, currency="JPY", **charge)
    assert again.status is Status.DENIED
