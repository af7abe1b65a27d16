"""Stripe at home: the adapter, its emulator and the way between, in one process.

Published as an entry point `kessai.emulators`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from kessai_adapters.emulators import Controls, EmulatorClock, Patience
from kessai_adapters.emulators.clock import utc_now
from kessai_adapters.emulators.notifications import NOBODY
from kessai_adapters.emulators.stripe import (
    DEFAULT_KEY,
    DEFAULT_SECRET,
    StripeEmulator,
)
from kessai_adapters.in_process_gateway import InProcessGateway, opening
from kessai_adapters.stripe import Stripe, StripeCredentials
from kessai_adapters.stripe.requests import OPERATION, TRANSACTION

if TYPE_CHECKING:
    from kessai_adapters.stripe.played import PlayedStripe

ACCOUNT = "emulator/stripe"
"""What is at an emulator in this process is at no gateway, and at no served emulator."""

MERCHANT = "acct_kessai"


class LocalStripe(InProcessGateway[StripeEmulator]):
    """A Stripe adapter in test mode, and the emulator that answers it.

    `clock` gives aware times in UTC, the real ones unless given; `books` is a file that
    keeps what is at the emulator for a later process, or None. With `approve` as `now`
    the cardholder passes each check at once, with `ask` when a test or a person says so.

    Raises:
        StoreBusy: another process holds the books.
        StoreUnsuitable: the file of the books is something else.

    """

    name = "stripe"
    patience = Patience(accepted=frozenset(range(200, 300)))
    merchant = MERCHANT
    """Who the merchant is at the emulator."""
    lifecycles = ("card", "saved_card", "saved_card_charge")
    """The shipped ones that are played in the simulator, by name."""
    example = (
        "authorize --lifecycle card --amount 1200 --currency JPY"
        " --param payment_method=pm_card_visa"
    )
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
            emulator = StripeEmulator(
                clock=moved, books=books, approves=approve == "now"
            )
        super().__init__(emulator, moved)
        self.adapter = Stripe(
            StripeCredentials(DEFAULT_KEY, (DEFAULT_SECRET,)), MERCHANT, account=ACCOUNT
        )

    def controls(self) -> Controls:
        """What can be controlled of the emulator where it is served."""
        return attrs.evolve(
            super().controls(),
            orders=self._orders,
            named=self.emulator.books.named,
            triggers=self.emulator.triggers(
                lambda order: {TRANSACTION: order, OPERATION: f"{order}.1"}
            ),
        )

    def _orders(self) -> Mapping[str, object]:
        intents = {one.id: one.intent for one in self.emulator.payments()}
        return {**intents, **self.emulator.books.setups}

    def notify(self, url: str) -> None:
        """Send events to `url` from now on; empty: keep them, to be listed."""
        self.emulator.send_events_to(url or NOBODY)

    def environment(self, url: str) -> Mapping[str, str]:
        """The variables that point the adapter at the emulator at `url`.

        The credentials are made up and the same for everyone: they open nothing else.
        """
        return {
            "KESSAI_STRIPE_HOST": url,
            "KESSAI_STRIPE_ACCOUNT": MERCHANT,
            "KESSAI_STRIPE_KEY": DEFAULT_KEY,
            "KESSAI_STRIPE_WEBHOOK_SECRET": DEFAULT_SECRET,
        }

    def played(self) -> "PlayedStripe":
        """The emulator in the hands of `kessai simulate`."""
        from kessai_adapters.stripe.played import PlayedStripe

        return PlayedStripe(self.emulator, self.adapter)

    def waiting(self) -> Mapping[str, str]:
        """The bank's page of every intent that waits for its cardholder, by its order."""
        books = self.emulator.books
        asked = {name: books.payments[name].intent for name in books.payments}
        asked.update(books.setups)
        return {
            asked[name]["metadata"].get(TRANSACTION, name): page
            for name, page in self.emulator.waiting().items()
        }
