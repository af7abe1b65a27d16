"""Adapters of both forms, asked alike: exchange by exchange, or as two functions.

Most of what the kit asks is asked of one request and its reply.
"""

from collections.abc import Generator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, islice, repeat
from operator import methodcaller
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
from kessai.testing.paste import code

MOST_REQUESTS = 20
NO_MORE = Failure(sent=True, reason="ReadTimeout")
"""What comes back once the record has ended."""

ARRIVED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@attrs.frozen
class ExchangeRun:
    """The requests of an exchange in their order, and what it returned."""

    requests: tuple[Request, ...]
    returned: Any


def run(
    exchange: Generator[Request, Reply | Failure, Any],
    replies: Sequence[Reply | Failure],
) -> ExchangeRun:
    """Give an exchange `replies` in turn, and then no more, until it returns."""
    asks: Any = exchange
    requests: list[Request] = []
    try:
        for reply in islice(chain((None,), replies, repeat(NO_MORE)), MOST_REQUESTS):
            request = asks.send(reply)
            requests.append(request)
    except StopIteration as stop:
        return ExchangeRun(tuple(requests), stop.value)
    exchange.close()
    return ExchangeRun(tuple(requests), None)


@attrs.frozen
class AskedAsFunctions:
    """An adapter of exchanges, asked as if it were two functions."""

    adapter: Adapter

    def request(self, call: Call) -> Request:
        """The first request of the exchange for `call`."""
        for request in self.adapter.exchange(call):
            return request
        message = f"{call.command}: there is nothing to send"
        raise InvalidInput(message)

    def evidence(self, call: Call, reply: Reply | Failure) -> Evidence:
        """What the exchange for `call` returns if its only reply is `reply`."""
        evidence: Evidence = run(self.adapter.exchange(call), (reply,)).returned
        return evidence

    def notification(
        self, headers: Mapping[str, str], body: bytes
    ) -> tuple[Evidence | Mention, ...]:
        """What the adapter reads from a notification; what it asks is not answered."""
        notification = Notification(headers=headers, body=body, at=ARRIVED)
        items: tuple[Evidence | Mention, ...]
        items = run(self.adapter.received(notification), ()).returned
        return items


def as_functions(adapter: AnyAdapter) -> Any:
    """`adapter` as two functions over bytes and a third for notifications."""
    return AskedAsFunctions(lift(adapter)) if hasattr(adapter, "exchange") else adapter


@attrs.frozen
class Question:
    """One call of an adapter's `method`; another process or a pasted test repeats it.

    An exchange is asked with the `replies` to its requests, and is not pasted.
    """

    method: str
    given: Mapping[str, Any] = attrs.field(repr=False)
    replies: tuple[Reply, ...] = attrs.field(default=(), repr=False)

    def put_to(self, adapter: AnyAdapter) -> Any:
        """What the adapter answers, or raises."""
        if self.method == "exchange":
            return run(lift(adapter).exchange(**self.given), self.replies)
        return methodcaller(self.method, **self.given)(as_functions(adapter))

    @property
    def asking(self) -> str:
        """The call as Python; what it is given is in `lines`."""
        return f"adapter.{self.method}({', '.join(self.given)})"

    @property
    def lines(self) -> list[str]:
        """What the call is given as Python, a variable a line."""
        return [f"{name} = {code(value)}" for name, value in self.given.items()]
