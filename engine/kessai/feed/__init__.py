"""What happened, for others: the events of all transactions in one order, to follow.

for event in engine.events(after=position):
    print(event.position, event.transaction, event.kind)
"""

from kessai.feed.event import FeedEvent
from kessai.feed.reading import FeedReader, read_feed

__all__ = ["FeedEvent", "FeedReader", "read_feed"]
