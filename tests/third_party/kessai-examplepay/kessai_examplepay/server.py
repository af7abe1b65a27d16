"""ExamplePay's stand-in on loopback: `python -m kessai_examplepay.server [PORT]`.

It keeps orders in memory, answers a repeated Idempotency-Key with what it answered
before, and leaves refunds pending until `resolve` notifications what came of them.
"""

import json
import sys
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any
from urllib.parse import unquote

from kessai_examplepay.samples import KEY, signed

STATUSES = {"succeeded": 201, "pending": 202, "declined": 402}


class ExamplePayServer(ThreadingHTTPServer):
    """The gateway: its books, and how it answers."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.orders: dict[str, list[dict[str, Any]]] = {}
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.lock = Lock()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def carry_out(self, key: str, asked: Mapping[str, Any]) -> tuple[int, bytes]:
        """Answer a command, the same key always the same."""
        with self.lock:
            if key not in self.answers:
                self.answers[key] = self._carry_out(asked)
            return self.answers[key]

    def _carry_out(self, asked: Mapping[str, Any]) -> tuple[int, bytes]:
        order, operation = asked["order"], asked["operation"]
        events = self.orders.setdefault(order, [])
        begun = any(event["operation"] == "authorize" for event in events)
        is_right = begun is (operation != "authorize")
        status = "pending" if operation == "refund" else "succeeded"
        event = {
            "order": order,
            "id": f"ev_{len(self.answers) + 1}",
            "operation": operation,
            "status": status if is_right else "declined",
            "code": "ok" if is_right else "not_possible",
            "amount": asked.get("amount"),
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        events.append(event)
        return STATUSES[event["status"]], json.dumps(event).encode()

    def listed(self, order: str) -> tuple[int, bytes]:
        """Answer an inquiry."""
        with self.lock:
            events = self.orders.get(order)
            if events is None:
                unknown = {"order": order, "code": "order_not_found"}
                return 404, json.dumps(unknown).encode()
            return 200, json.dumps({"order": order, "events": events}).encode()

    def resolve(self, order: str) -> tuple[Mapping[str, str], bytes]:
        """Let pending refunds succeed; the notification of that."""
        with self.lock:
            pending = [e for e in self.orders[order] if e["status"] == "pending"]
            for event in pending:
                event["status"] = "succeeded"
            body = json.dumps({"events": pending}).encode()
        return signed(body), body


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: ExamplePayServer

    def do_GET(self) -> None:
        """An inquiry."""
        self._answer(*self.server.listed(unquote(self.path.rpartition("/")[2])))

    def do_POST(self) -> None:
        """A command."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Authorization"] != f"Bearer {KEY}":
            self._answer(401, b'{"code":"unauthorized"}')
            return
        key = self.headers["Idempotency-Key"]
        self._answer(*self.server.carry_out(key, json.loads(body)))

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_what: object) -> None:
        """Log nothing."""


if __name__ == "__main__":
    with ExamplePayServer(int(sys.argv[1]) if sys.argv[1:] else 8090) as server:
        print(server.url, flush=True)  # noqa: T201 - where to send orders
        server.serve_forever()
