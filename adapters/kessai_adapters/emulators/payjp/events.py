"""Events: one for each change of an object, kept, and sent to the merchant's webhook.

Each event has the whole object as it was then. A webhook bears the account's token and no
signature. The documents name a few types; what they leave open is named here after the
object's status.
"""

import json
from typing import Any, Final

from kessai_adapters.emulators.notifications import Notification, Outbox
from kessai_adapters.emulators.payjp.books import Books, Kept

TOKEN_HEADER: Final = "X-Payjp-Webhook-Token"  # noqa: S105 (a header's name)


class Events:
    """Makes events, and queues them for the webhook where one is set."""

    def __init__(self, books: Books, *, url: str, token: str) -> None:
        self.outbox: Outbox[Notification] = Outbox()
        self.url = url
        self._books = books
        self._token = token

    def record(self, type_: str, about: Kept) -> None:
        """Keep the event `type_`, and send it."""
        event = self._books.make(
            "event",
            type=type_,
            pending_webhooks=int(bool(self.url)),
            data={**about.shown},
        )
        event.hidden["resource"] = about.id
        self._books.save(event)
        if self.url:
            self.outbox.put(self._notification(event, about))

    def _notification(self, event: Kept, about: Kept) -> Notification:
        body = json.dumps(event.shown, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", TOKEN_HEADER: self._token}
        return Notification(
            id=event.id,
            name=event["type"],
            order=str(about.shown.get("payment_flow_id", about.id)),
            url=self.url,
            headers=headers,
            body=body,
        )

    def about(self, wanted: dict[str, str]) -> list[Kept]:
        """The events, newest first, of `resource_id`, `object` and `type`."""

        def fits(event: Kept) -> bool:
            having: dict[str, Any] = {
                "resource_id": event.hidden["resource"],
                "object": event["data"]["object"],
                "type": event["type"],
            }
            return all(having[name] == value for name, value in wanted.items())

        return [event for event in self._books.all("event") if fits(event)]
