"""PAY.JP at home: the adapter, its emulator and the way between, in one process.

Published as the entry point `kessai.emulators`, so that the command line finds it
without knowing any adapter.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from kessai_adapters.emulators import Controls, EmulatorClock, Patience
from kessai_adapters.emulators.clock import utc_now
from kessai_adapters.emulators.notifications import NOBODY
from kessai_adapters.emulators.payjp import DEFAULT_KEY, DEFAULT_TOKEN, Emulator
from kessai_adapters.in_process_gateway import InProcessGateway, opening
from kessai_adapters.payjp.adapter import PayJp
from kessai_adapters.payjp.credentials import Credentials
from kessai_adapters.payjp.values import OPERATION, ORDER, metadata

if TYPE_CHECKING:
    from kessai_adapters.payjp.played import PlayedPayJp

ACCOUNT = "emulator/payjp"
"""What is at an emulator in this process is at no gateway, and at no served emulator."""


class LocalPayJp(InProcessGateway[Emulator]):
    """A PAY.JP adapter in test mode, and the emulator that answers it.

    `clock` gives aware times in UTC, the real ones unless given; `books` is a file that
    keeps the emulator's objects for a later process, or None; `approve` is what the
    consumer does: `now` or `ask`. Webhooks go to `webhook_url`, if there is one.

    Raises:
        StoreBusy: another process holds the books.
        StoreUnsuitable: the file of the books is something else.

    """

    name = "payjp"
    patience = Patience(accepted=range(200, 300))
    """Any 2xx accepts; four attempts, with shorter pauses than PAY.JP's three minutes."""

    example = "authorize --lifecycle card --amount 1200 --currency JPY"
    """A first command: what `kessai tx do` takes after an order's id."""

    lifecycles = ("card", "saved_card", "saved_card_charge")
    """The shipped lifecycles that the adapter carries payments through."""

    merchant = "local"
    """Who the merchant is at the emulator."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] | None = None,
        books: Path | str | None = None,
        approve: str = "now",
        webhook_url: str = "",
    ) -> None:
        moved = EmulatorClock(clock or utc_now)
        with opening(books):
            emulator = Emulator(
                clock=moved, approve=approve, books=books, webhook_url=webhook_url
            )
        super().__init__(emulator, moved)
        credentials = Credentials(DEFAULT_KEY, DEFAULT_TOKEN)
        self.adapter = PayJp(credentials, self.merchant, account=ACCOUNT)

    def controls(self) -> Controls:
        """What can be controlled of the emulator where it is served."""
        books = self.emulator.books
        return attrs.evolve(
            super().controls(),
            orders=lambda: {flow.id: flow.shown for flow in books.flows()},
            named=books.named,
            triggers=self.emulator.triggers(
                lambda order: {ORDER: order, OPERATION: f"{order}.1"}
            ),
        )

    def notify(self, url: str) -> None:
        """Send webhooks to `url` from now on; empty: keep them, to be listed."""
        self.emulator.events.url = url or NOBODY

    def environment(self, url: str) -> Mapping[str, str]:
        """The variables that point the adapter at the emulator at `url`.

        The credentials are made up and the same for everyone: they open nothing else.
        """
        return {
            "KESSAI_PAYJP_HOST": url,
            "KESSAI_PAYJP_KEY": DEFAULT_KEY,
            "KESSAI_PAYJP_MERCHANT": self.merchant,
            "KESSAI_PAYJP_WEBHOOK_TOKEN": DEFAULT_TOKEN,
        }

    def played(self) -> "PlayedPayJp":
        """The emulator in the hands of `kessai simulate`."""
        from kessai_adapters.payjp.played import PlayedPayJp

        return PlayedPayJp(self.emulator, self.adapter)

    def waiting(self) -> Mapping[str, str]:
        """The consumer's page of every opening command that waits, by order id."""
        consumer = self.emulator.consumer
        return {
            order: consumer.page_url(flow)
            for flow in self.emulator.books.flows()
            if consumer.is_awaited(flow)
            if (order := metadata(flow.shown, ORDER)) is not None
        }
