"""Stripe at home: the adapter, its emulator and the way between, in one process.

Published as an entry point `kessai.emulators`.
"""

import sqlite3
import tomllib
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kessai.errors import StoreBusy, StoreUnsuitable
from kessai_adapters.emulators import BooksInUse, NotificationSender, Patience
from kessai_adapters.emulators.clock import EmulatorClock, utc_now
from kessai_adapters.emulators.in_process import (
    AsyncEmulatorTransport,
    EmulatorTransport,
)
from kessai_adapters.emulators.stripe import (
    DEFAULT_KEY,
    DEFAULT_SECRET,
    StripeEmulator,
)
from kessai_adapters.stripe import Stripe, StripeCredentials
from kessai_adapters.stripe.requests import TRANSACTION

if TYPE_CHECKING:
    from kessai_adapters.played_stripe import PlayedStripe

ACCOUNT = "emulator/stripe"
"""What is at an emulator in this process is at no gateway, and at no served emulator."""

MERCHANT = "acct_kessai"
_ACCEPTED = frozenset(range(200, 300))


class LocalStripe:
    """A Stripe adapter in test mode, and the emulator that answers it.

    `clock` gives aware times in UTC, the real ones unless given; `books` is a file that
    keeps what is at the emulator for a later process, or None. With `approve` as `now`
    the cardholder passes each check at once, with `ask` when a test or a person says so.

    Raises:
        StoreBusy: another process holds the books.
        StoreUnsuitable: the file of the books is something else.

    """

    merchant = MERCHANT
    """Who the merchant is at the emulator."""
    lifecycles = ("card",)
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
        self.clock = EmulatorClock(clock or utc_now)
        """The emulator's, which can be moved."""
        try:
            self.emulator = StripeEmulator(
                clock=self.clock, books=books, approves=approve == "now"
            )
        except BooksInUse as error:
            raise StoreBusy(str(error)) from error
        except sqlite3.DatabaseError as error:
            message = f"{books}: not the emulator's books: {error}"
            raise StoreUnsuitable(message) from error
        self.adapter = Stripe(
            StripeCredentials(DEFAULT_KEY, (DEFAULT_SECRET,)), MERCHANT, account=ACCOUNT
        )

    @property
    def transport(self) -> EmulatorTransport:
        """What `kessai.Engine` reaches the emulator through."""
        return EmulatorTransport(self.emulator)

    @property
    def async_transport(self) -> AsyncEmulatorTransport:
        """The same for `kessai.AsyncEngine`."""
        return AsyncEmulatorTransport(self.emulator)

    def serve(self, *, port: int, tls: tuple[str, str] | None = None) -> Any:
        """The emulator behind a port on loopback; a context manager with a `url`."""
        from kessai_adapters.emulators import Controls, serve

        controls = Controls(
            gateway=self.adapter.name,
            clock=self.clock,
            orders=lambda: {each.id: each.intent for each in self.emulator.payments()},
        )
        return serve(self.emulator, controls=controls, port=port, tls=tls)

    def deliver_notifications(self) -> NotificationSender:
        """Deliver webhooks by HTTP, on loopback alone; a context manager."""
        return NotificationSender(self.emulator, patience=Patience(accepted=_ACCEPTED))

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

    def story(self) -> list[dict[str, Any]]:
        """What happens in `kessai demo`."""
        text = files("kessai_adapters.stripe").joinpath("demo.toml").read_text()
        steps: list[dict[str, Any]] = tomllib.loads(text)["step"]
        return steps

    def played(self) -> "PlayedStripe":
        """The emulator in the hands of `kessai simulate`."""
        from kessai_adapters.played_stripe import PlayedStripe

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

    def close(self) -> None:
        """Let go of the books' file."""
        self.emulator.close()
