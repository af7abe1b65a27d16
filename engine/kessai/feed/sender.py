"""Webhooks: the events of a store sent to one endpoint, each at least once.

Each is a CloudEvent, signed as Standard Webhooks has it. What an endpoint does not take
is no matter of other endpoints: each is a subscriber with a position of its own.
"""

from collections.abc import Callable, Iterable

import attrs

from kessai.closable import Closable
from kessai.driver import Clock, drive, in_utc, utc_now
from kessai.errors import InvalidInput, TrailBroken
from kessai.feed import delivery
from kessai.feed.cloud_event import CONTENT_TYPE, encode
from kessai.feed.event import FeedEvent
from kessai.feed.reading import FeedReader, asking
from kessai.feed.signature import WebhookSecret, signed_headers
from kessai.flow import Published, Subscriber, Undelivered
from kessai.gateway import Failure, Request
from kessai.limits import WEBHOOK_SECONDS
from kessai.machine.chain import numbered
from kessai.stores import Store
from kessai.transport import Transport
from kessai.transport.request import MalformedRequest, origin_of

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@attrs.frozen
class Deliveries:
    """What came of a pass: events that were delivered, and attempts that failed.

    `waiting` are the events that wait to be sent, and `reason` is why the first of them
    was not taken the last time.
    """

    delivered: int = 0
    failed: int = 0
    waiting: int = 0
    reason: str = ""


def webhook_transport() -> Transport:
    """HTTPS, with certificates verified, as long as a receiver may take to answer."""
    from kessai.transport.http import HttpTransport

    return HttpTransport(seconds=WEBHOOK_SECONDS, connections=1)


def check_url(url: str) -> str:
    """`url`, if webhooks may go there.

    Raises:
        InvalidInput: it is malformed, or not encrypted and leaves this machine.

    """
    try:
        origin = origin_of(url)
    except MalformedRequest as error:
        message = f"webhook URL: https://HOST/… is right; {error}"
        raise InvalidInput(message) from None
    if not origin.tls and origin.host not in _LOOPBACK:
        message = "webhook URL: https://… is right, or http:// to this machine alone"
        raise InvalidInput(message)
    return url


class WebhookSender(Closable):
    """Sends a `subscriber`'s events to `url`, signed with each of `secrets`.

    What answers 2xx has taken an event. `transport` is `webhook_transport` by default.
    One sender a subscriber at a time. The store stays open when it is closed.

    Raises:
        InvalidInput: see `check_url`.

    """

    def __init__(
        self,
        store: Store,
        subscriber: str,
        url: str,
        secrets: Iterable[WebhookSecret],
        *,
        transport: Transport | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._store, self._name = store, subscriber
        self._url, self._secrets = check_url(url), tuple(secrets)
        self._transport = webhook_transport() if transport is None else transport
        self._clock = in_utc(clock)
        self._reader = FeedReader()

    def run(self, is_stopped: Callable[[], bool] = lambda: False) -> Deliveries:
        """Send what is due, and then what is new, as much as there is now.

        How far it is is stored after each event: what dies in between sends one again.

        Raises:
            VersionConflict: another process carries the subscriber on, or has replayed
                a dead letter: run it again.
            TrailBroken: an event does not hold; it is not sent, nor what comes after it.

        """
        one = _SendingPass(self._store.subscriber(self._name))
        while not is_stopped():
            tried = delivery.due(one.subscriber, self._clock())
            if tried is None:
                break
            self._try(one, self._event(tried), tried)
        while not is_stopped() and not delivery.is_full(one.subscriber):
            events = self._next(one.subscriber.position)
            if not events:
                break
            for event in events:
                if is_stopped() or delivery.is_full(one.subscriber):
                    break
                self._take(one, event)
        waiting = delivery.waiting(one.subscriber)
        reason = next((each.reason for each in waiting if each.reason), "")
        return Deliveries(one.delivered, one.failed, len(waiting), reason)

    def _next(self, after: str) -> list[FeedEvent]:
        self._reader.position = after  # the last page may have been broken off
        return drive(self._reader.page(), asking(self._store))

    def _take(self, one: "_SendingPass", event: FeedEvent) -> None:
        """Pass a new event: sent, or waiting behind another one of its transaction."""
        new = delivery.behind(event, self._clock())
        if delivery.holds(one.subscriber, event.transaction):
            one.keep(self._store, (), (new,), event.position)
        else:
            self._try(one, event, new, event.position)

    def _try(
        self,
        one: "_SendingPass",
        event: FeedEvent,
        tried: Undelivered,
        position: str | None = None,
    ) -> None:
        reason = self._send(event)
        if reason is None:
            one.keep(self._store, (tried,), (), position)
            one.delivered += 1
        else:
            failed = delivery.failed(tried, self._clock(), reason)
            one.keep(self._store, (tried,), (failed,), position)
            one.failed += 1

    def _send(self, event: FeedEvent) -> str | None:
        """Send an event once; why it was not taken, if it was not."""
        body, now = encode(event), self._clock()
        signed = signed_headers(self._secrets, event.id, now, body)
        headers = (("content-type", CONTENT_TYPE), *signed)
        reply = self._transport.send(
            Request(method="POST", url=self._url, headers=headers, body=body)
        )
        if isinstance(reply, Failure):
            return reply.reason
        return None if reply.status // 100 == 2 else f"status {reply.status}"  # noqa: PLR2004

    def _event(self, tried: Undelivered) -> FeedEvent:
        record = numbered(self._store.records(tried.transaction), tried.number)
        if record is None or record.hash != tried.id:
            message = (
                f"event {tried.number} of {tried.transaction}: not the one that waits"
            )
            raise TrailBroken(message)
        published = Published(tried.position, record)
        return drive(FeedReader().event(published), asking(self._store))

    def close(self) -> None:
        """Let go of connections."""
        self._transport.close()


@attrs.define
class _SendingPass:
    """How far the subscriber is, as stored, and what came of the pass until now."""

    subscriber: Subscriber
    delivered: int = 0
    failed: int = 0

    def keep(
        self,
        store: Store,
        gone: tuple[Undelivered, ...],
        new: tuple[Undelivered, ...],
        position: str | None,
    ) -> None:
        """Store the next step, with `new` in the place of what is `gone`."""
        after = delivery.replaced(self.subscriber, gone, new, position)
        store.advance(after)
        self.subscriber = after
