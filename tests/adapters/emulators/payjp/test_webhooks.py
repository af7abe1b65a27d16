"""Events: one for each change, kept, and sent with the account's token."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from kessai_adapters.emulators import NotificationSender, Patience
from kessai_adapters.emulators.payjp import DEFAULT_TOKEN, TOKEN_HEADER

WEBHOOK = "http://127.0.0.1/webhook"


def test_every_change_of_a_flow_is_an_event_with_the_flow_as_it_was(shop):
    flow = shop.captured()
    assert shop.states(flow)[-2:] == ["requires_capture", "succeeded"]
    listed = shop.get(f"events?resource_id={flow['id']}&type=payment_flow.succeeded")
    (event,) = listed["data"]
    assert event["data"] == flow
    assert shop.get(f"events/{event['id']}") == event


def test_events_are_found_by_their_object(shop):
    flow = shop.captured()
    refund = shop.post("payment_refunds", payment_flow_id=flow["id"])
    (event,) = shop.get("events?object=payment_refund")["data"]
    assert (event["type"], event["data"]) == ("refund.created", refund)


def test_a_webhook_bears_the_token_and_no_signature(shop, emulator):
    flow = shop.captured()
    taken = emulator.take_notifications()
    last = taken[-1]
    assert (last.url, last.order) == (WEBHOOK, flow["id"])
    assert last.headers[TOKEN_HEADER] == DEFAULT_TOKEN
    assert json.loads(last.body)["type"] == "payment_flow.succeeded"
    assert emulator.take_notifications() == []


class Endpoint(BaseHTTPRequestHandler):
    """A shop that is down at first."""

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.server.heard.append(json.loads(self.rfile.read(length))["id"])
        self.send_response(next(self.server.statuses))
        self.end_headers()
        if len(self.server.heard) == 3:
            self.server.accepted.set()

    def log_message(self, *args):
        pass


def test_a_webhook_is_tried_again_until_it_is_accepted(shop, emulator):
    with HTTPServer(("127.0.0.1", 0), Endpoint) as server:
        server.statuses, server.heard = iter([500, 503, 204]), []
        server.accepted = threading.Event()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        emulator.events.url = f"http://127.0.0.1:{server.server_port}/"
        patience = Patience(first_pause=0.001, accepted=range(200, 300))
        with NotificationSender(emulator, patience=patience) as sender:
            shop.post("customers")
            assert server.accepted.wait(30)
        server.shutdown()
    assert len(set(server.heard)) == 1
    assert sender.undelivered == []
