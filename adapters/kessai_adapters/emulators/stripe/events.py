"""Events: what happened to an object, as it was then; and the webhooks that carry them.

An event is kept for 30 days and is never rendered anew. Each endpoint gets a copy under
its own secrets: two, while one is rolled.
"""

import copy
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any, Final

import attrs

from kessai_adapters.emulators.notifications import Notification, Outbox
from kessai_adapters.emulators.stripe.books import ApiObject, Books
from kessai_adapters.emulators.stripe.errors import missing

API_VERSION: Final = "2026-10-28.endive"
"""The version of the API that the emulator speaks, and renders events in."""

KEPT: Final = timedelta(days=30)


@attrs.frozen
class WebhookEndpoint:
    """Where events are sent. `secrets` sign them, `types` are those wanted; empty: all."""

    url: str
    secrets: tuple[str, ...] = attrs.field(repr=False)
    types: frozenset[str] = frozenset()


def signature(secret: str, at: int, body: bytes) -> str:
    """The scheme `v1`: HMAC-SHA-256 over the time and the raw body, in hexadecimal."""
    signed = str(at).encode() + b"." + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def signed_headers(secrets: tuple[str, ...], at: int, body: bytes) -> dict[str, str]:
    """The headers under which Stripe sends `body` at the time `at`."""
    schemes = [f"t={at}", *(f"v1={signature(each, at, body)}" for each in secrets)]
    return {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": ",".join(schemes),
    }


def shown(held: Any) -> Any:
    """A copy of an object as the API shows it."""
    if isinstance(held, dict):
        return {
            name: shown(value)
            for name, value in held.items()
            if not name.startswith("_")
        }
    return [shown(each) for each in held] if isinstance(held, list) else held


class Events:
    """Records events, and queues them for the endpoints."""

    def __init__(self, books: Books) -> None:
        self.outbox: Outbox[Notification] = Outbox()
        self.endpoints: list[WebhookEndpoint] = []
        self.caused_by: str | None = None
        """The idempotency key of the request that is being carried out."""
        self._books = books

    def record(
        self, kind: str, held: ApiObject, before: ApiObject | None = None
    ) -> None:
        """Record that `kind` happened to `held`; `before` are former values."""
        data: dict[str, Any] = {"object": shown(copy.deepcopy(held))}
        if before is not None:
            data["previous_attributes"] = before
        event = {
            "id": self._books.new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self._books.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": len(self.endpoints),
            "request": {"id": None, "idempotency_key": self.caused_by},
            "type": kind,
        }
        self._books.events.append(event)
        for endpoint in self.endpoints:
            if not endpoint.types or kind in endpoint.types:
                self._send(endpoint, event)

    def _send(self, endpoint: WebhookEndpoint, event: ApiObject) -> None:
        body = json.dumps(event, indent=2).encode()
        about = event["data"]["object"]
        self.outbox.put(
            Notification(
                id=event["id"],
                name=event["type"],
                order=about.get("payment_intent") or about["id"],
                url=endpoint.url,
                headers=signed_headers(endpoint.secrets, event["created"], body),
                body=body,
            )
        )

    def take(self) -> list[Notification]:
        """The webhooks not yet taken, each signed at this moment.

        One for what is no endpoint any more is signed as it was.
        """
        secrets = {endpoint.url: endpoint.secrets for endpoint in self.endpoints}
        now = self._books.now()
        return [
            attrs.evolve(
                each, headers=signed_headers(secrets[each.url], now, each.body)
            )
            if each.url in secrets
            else each
            for each in self.outbox.take()
        ]

    def kept(self) -> list[ApiObject]:
        """The events of the last 30 days, oldest first."""
        since = self._books.now() - int(KEPT.total_seconds())
        return [event for event in self._books.events if event["created"] > since]

    def find(self, name: str) -> ApiObject:
        """An event that is still kept.

        Raises:
            ApiError: there is none.

        """
        for event in self.kept():
            if event["id"] == name:
                return event
        what = "event"
        raise missing(what, name)
