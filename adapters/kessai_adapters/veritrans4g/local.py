"""The gateway at home: the adapter, its emulator and the way between, in one process.

Published as the entry point `kessai.emulators`, so that the command line finds it
without knowing any adapter.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from kessai_adapters.emulators import Controls, EmulatorClock
from kessai_adapters.emulators.clock import utc_now
from kessai_adapters.emulators.veritrans4g import (
    DEFAULT_CCID,
    DEFAULT_KEY,
    Emulator,
    Kind,
)
from kessai_adapters.emulators.veritrans4g.words import Step
from kessai_adapters.in_process_gateway import InProcessGateway, opening
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G

if TYPE_CHECKING:
    from kessai_adapters.veritrans4g.played import PlayedGateway


ACCOUNT = "emulator/local"
"""What is at an emulator in this process is at no gateway, and at no served emulator."""


class LocalGateway(InProcessGateway[Emulator]):
    """A VeriTrans4G adapter in test mode, and the emulator that answers it.

    `clock` gives aware times in UTC, the real ones unless given; `books` is a file that
    keeps the emulator's orders for a later process, or None; `approve` is what the
    consumer does: `now` or `ask`.

    Raises:
        StoreBusy: another process holds the books.
        StoreUnsuitable: the file of the books is something else.

    """

    name = "veritrans4g"
    lifecycles = ("charge", "one_time", "recurring")
    """The shipped ones that it carries payments through, by name."""
    example = "authorize --lifecycle one_time --amount 1200"
    """A first command: what `kessai tx do` takes after an order's id."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] | None = None,
        books: Path | str | None = None,
        approve: str = "now",
    ) -> None:
        moved = EmulatorClock(clock or utc_now)
        with opening(books):
            emulator = Emulator(clock=moved, approve=approve, books=books)
        super().__init__(emulator, moved)
        self._notified = ""
        self.adapter = VeriTrans4G(
            Credentials(DEFAULT_CCID, DEFAULT_KEY), dummy=True, account=ACCOUNT
        )

    def controls(self) -> Controls:
        """What can be controlled of the emulator where it is served."""
        return attrs.evolve(
            super().controls(),
            orders=lambda: self.emulator.books.orders,
            triggers=self.emulator.triggers,
        )

    def notify(self, url: str) -> None:
        """Name `url` in `environment`: VeriTrans4G is told it with each order.

        Empty: no order names one, unless its shop does.
        """
        self._notified = url

    def environment(self, url: str) -> Mapping[str, str]:
        """The variables that point the adapter at the emulator at `url`.

        The credentials are made up and the same for everyone: they open nothing else.
        """
        named = {"KESSAI_VERITRANS_NOTIFICATION_URL": self._notified}
        return {
            "KESSAI_VERITRANS_HOST": url,
            "KESSAI_VERITRANS_CCID": DEFAULT_CCID,
            "KESSAI_VERITRANS_KEY": DEFAULT_KEY,
            "KESSAI_VERITRANS_DUMMY": "1",
            **(named if self._notified else {}),
        }

    @property
    def merchant(self) -> str:
        """Who the merchant is at the emulator."""
        return self.emulator.merchant.ccid

    def played(self) -> "PlayedGateway":
        """The emulator in the hands of `kessai simulate`."""
        from kessai_adapters.veritrans4g.played import PlayedGateway

        return PlayedGateway(self.emulator, self.adapter, self.clock)

    def waiting(self) -> Mapping[str, str]:
        """The consumer's page of every opening command that waits, by order id."""
        page_url = self.emulator.consumer.page_url
        return {
            order.order_id: page_url(order)
            for order in tuple(self.emulator.books.orders.values())
            if order.kind is not Kind.REAUTHORIZED and order.step is not Step.FINISHED
        }
