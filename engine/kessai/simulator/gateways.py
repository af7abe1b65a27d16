"""The gateways of one world: mostly one, or several accounts that share a store.

A request goes where its URL leads, as on the network: so an account's request that
another account's adapter made is seen. All else goes to where an order is booked.
"""

from collections.abc import Iterator, Mapping, Sequence

import attrs

from kessai.gateway import Adapter, Reply, Request
from kessai.simulator.gateway import (
    BookedExchange,
    BookedOrder,
    Notice,
    PlayedGateway,
)


class Gateways:
    """Stand-ins side by side, by the beginning of the URLs that lead to each."""

    def __init__(self, played: PlayedGateway | Mapping[str, PlayedGateway]) -> None:
        self._by_url = played if isinstance(played, Mapping) else {"": played}
        self._all = tuple(self._by_url.values())
        self.adapters: Sequence[Adapter] = [each.adapter for each in self._all]

    @property
    def accounts(self) -> list[str]:
        """The account of each gateway."""
        return [adapter.account for adapter in self.adapters]

    @property
    def opens_once(self) -> bool:
        """Whether each refuses an order id that it has already."""
        return all(each.opens_once for each in self._all)

    def account_of(self, request: Request) -> str:
        """The account that a request is sent to."""
        return self._asked(request).adapter.account

    def carry_out(self, request: Request, mishap: str | None) -> Reply:
        """What the gateway answers to which the request was sent."""
        return self._asked(request).carry_out(request, mishap)

    def bad_replies(self) -> Sequence[str]:
        """The mishaps that make a reply malformed."""
        return self._all[0].bad_replies()

    def exchanges(self, order: str) -> Sequence[BookedExchange]:
        """All exchanges of an order, oldest first."""
        return self._of(order).exchanges(order)

    def booked(self, order: str) -> BookedOrder | None:
        """An order as it is booked now."""
        return self._of(order).booked(order)

    def orders(self) -> Sequence[str]:
        """The ids of all orders, one gateway after the other."""
        return [order for each in self._all for order in each.orders()]

    def take_notifications(self) -> Iterator[Notice]:
        """The notifications that were not taken yet, each with its account."""
        for each in self._all:
            for notice in each.take_notifications():
                yield attrs.evolve(notice, account=each.adapter.account)

    def consumer(self, order: str, act: str) -> bool:
        """Play the consumer of an order."""
        return self._of(order).consumer(order, act)

    def portal(self, order: str, act: str, amount: int | None) -> bool:
        """Act in the portal."""
        return self._of(order).portal(order, act, amount)

    def finish(self, order: str, *, good: bool) -> bool:
        """Let what is pending succeed or fail."""
        return self._of(order).finish(order, good=good)

    def brought(self, order: str) -> Mapping[str, str]:
        """What the consumer came back with, and the order system has not sent on."""
        return self._of(order).brought(order)

    def references(self, order: str) -> Mapping[str, str]:
        """The gateway's ids for an order, by its adapter's names for them."""
        return self._of(order).references(order)

    def reversible(self) -> Sequence[str]:
        """The ids of the orders of which a success can be taken back."""
        return [order for each in self._all for order in each.reversible()]

    def take_back(self, order: str) -> bool:
        """Take the last success of an order back that can be taken back."""
        return self._of(order).take_back(order)

    def awaits_consumer(self, order: str) -> bool:
        """Whether a consumer has still to decide about an opening command."""
        return self._of(order).awaits_consumer(order)

    def close(self) -> None:
        """Let go of what is held."""
        for each in self._all:
            each.close()

    def _asked(self, request: Request) -> PlayedGateway:
        found = (g for url, g in self._by_url.items() if request.url.startswith(url))
        return next(found)

    def _of(self, order: str) -> PlayedGateway:
        """Where an order is booked; any where it is booked nowhere."""
        first, *others = self._all
        return next((each for each in others if each.exchanges(order)), first)
