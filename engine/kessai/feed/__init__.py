"""What happened, for others: the events of all transactions in one order, to follow.

for event in engine.events(after=position):
    print(event.position, event.transaction, event.kind)
"""

from kessai.feed.event import FeedEvent
from kessai.feed.reading import FeedReader, read_feed
from kessai.feed.signature import WebhookSecret, check_webhook, read_secrets

__all__ = [
    "FeedEvent",
    "FeedReader",
    "WebhookSecret",
    "check_webhook",
    "read_feed",
    "read_secrets",
]
