"""A feed event as a CloudEvent 1.0 in JSON, structured mode (cloudevents.io)."""

from typing import Any
from urllib.parse import quote

import msgspec

from kessai.feed.event import FeedEvent

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"

_encode = msgspec.json.Encoder(order="sorted").encode


def encode(event: FeedEvent) -> bytes:
    """The bytes of `event`, the same whenever it is sent.

    `type` is its kind, `source` the account, `subject` the transaction.
    """
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "id": event.id,
        "type": f"kessai.{event.kind}",
        "source": f"/kessai/{quote(event.account)}",
        "subject": event.transaction,
        "time": event.at,
        "datacontenttype": "application/json",
        "data": event.data(),
    }
    return _encode(envelope)
