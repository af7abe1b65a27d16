"""Adapters of both forms, asked alike: exchange by exchange, or as two functions.

Most of what the kit asks is asked of one request and its reply. An adapter whose
exchanges have several is asked with the replies to the first ones given from its record.
"""

from collections.abc import Generator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs

from kessai.errors import InvalidInput
from kessai.gateway import (
    Adapter,
    AnyAdapter,
    Call,
    Evidence,
    Failure,
    Mention,
    Notification,
    Reply,
    Request,
)
from kessai.gateway_exchange import lift

MOST_REQUESTS = 20
NO_MORE = Failure(sent=True, reason="ReadTimeout")
"""What comes back once the record has ended."""

ARRIVED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

Said = Evidence | tuple[Evidence | Mention, ...]


@attrs.frozen
class ExchangeRun:
    """The requests of an exchange in their order, and what it returned."""

    requests: tuple[Request, ...]
    said: Any


def run(
    exchange: Generator[Request, Reply | Failure, Any],
    replies: Sequence[Reply | Failure],
) -> ExchangeRun:
    """Give an exchange `replies` in turn, and then no more, until it returns."""
    requests: list[Request] = []
    given = iter(replies)
    try:
        requests.append(next(exchange))
        while len(requests) <= MOST_REQUESTS:
            requests.append(exchange.send(next(given, NO_MORE)))
    except StopIteration as stop:
        return ExchangeRun(tuple(requests), stop.value)
    exchange.close()
    return ExchangeRun(tuple(requests), None)


@attrs.frozen
class AskedAsFunctions:
    """An adapter of exchanges, asked as if it were two functions."""

    adapter: Adapter
    earlier: Mapping[str, tuple[Reply, ...]] = attrs.field(
        factory=dict[str, tuple[Reply, ...]]
    )
    """The replies before the last one, for commands that have several requests."""

    def request(self, call: Call) -> Request:
        """The first request of the exchange for `call`."""
        for request in self.adapter.exchange(call):
            return request
        message = f"{call.command}: there is nothing to send"
        raise InvalidInput(message)

    def evidence(self, call: Call, reply: Reply | Failure) -> Evidence:
        """What the exchange for `call` returns if its last reply is `reply`."""
        replies = (*self.earlier.get(call.command, ()), reply)
        said: Evidence = run(self.adapter.exchange(call), replies).said
        return said

    def notification(
        self, headers: Mapping[str, str], body: bytes
    ) -> tuple[Evidence | Mention, ...]:
        """What the adapter reads from a notification; what it asks is not answered."""
        notification = Notification(headers=headers, body=body, at=ARRIVED)
        said: tuple[Evidence | Mention, ...] = run(
            self.adapter.received(notification), ()
        ).said
        return said


def as_functions(adapter: AnyAdapter) -> Any:
    """`adapter` as two functions over bytes and a third for notifications."""
    return AskedAsFunctions(lift(adapter)) if hasattr(adapter, "exchange") else adapter
