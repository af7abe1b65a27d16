"""PAY.JP at home: the adapter, its emulator and the way between, in one process.

Published as the entry point `kessai.emulators`, so that the command line finds it
without knowing any adapter.
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
from kessai_adapters.emulators.payjp import DEFAULT_KEY, DEFAULT_TOKEN, Emulator
from kessai_adapters.payjp.adapter import PayJp
from kessai_adapters.payjp.credentials import Credentials
from kessai_adapters.payjp.values import ORDER, metadata

if TYPE_CHECKING:
    from kessai_adapters.payjp.played import PlayedPayJp

ACCOUNT = "emulator/payjp"
"""What is at an emulator in this process is at no gateway, and at no served emulator."""

PATIENCE = Patience(accepted=range(200, 300))
"""Any 2xx accepts; it is tried four times, though with shorter pauses than three minutes."""


class LocalGateway:
    """A PAY.JP adapter in test mode, and the emulator that answers it.

    `clock` gives aware times in UTC, the real ones unless given; `books` is a file that
    keeps the emulator's objects for a later process, or None; `approve` is what the
    consumer does: `now` or `ask`. Webhooks go to `webhook_url`, if there is one.

    Raises:
        StoreBusy: another process holds the books.
        StoreUnsuitable: the file of the books is something else.

    """

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
        self.clock = EmulatorClock(clock or utc_now)
        """The emulator's, which can be moved."""
        try:
            self.emulator = Emulator(
                clock=self.clock,
                approve=approve,
                books=books,
                webhook_url=webhook_url,
            )
        except BooksInUse as error:
            raise StoreBusy(str(error)) from error
        except sqlite3.DatabaseError as error:
            message = f"{books}: not the emulator's books: {error}"
            raise StoreUnsuitable(message) from error
        credentials = Credentials(DEFAULT_KEY, DEFAULT_TOKEN)
        self.adapter = PayJp(credentials, self.merchant, account=ACCOUNT)

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
            orders=lambda: self.emulator.books.objects,
        )
        return serve(self.emulator, controls=controls, port=port, tls=tls)

    def deliver_notifications(self) -> NotificationSender:
        """Deliver webhooks by HTTP, on loopback alone; a context manager."""
        return NotificationSender(self.emulator, patience=PATIENCE)

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

    def story(self) -> list[dict[str, Any]]:
        """What happens in `kessai demo`."""
        text = files("kessai_adapters.payjp").joinpath("demo.toml").read_text("utf-8")
        steps: list[dict[str, Any]] = tomllib.loads(text)["step"]
        return steps

    def played(self) -> "PlayedPayJp":
        """The emulator in the hands of `kessai simulate`."""
        from kessai_adapters.payjp.played import PlayedPayJp

        return PlayedPayJp(self.emulator, self.adapter)

    def waiting(self) -> Mapping[str, str]:
        """The consumer's page of every opening command that waits, by order id."""
        consumer = self.emulator.consumer
        found = tuple(self.emulator.books.objects.values())
        return {
            order: consumer.page_url(flow)
            for flow in found
            if flow.kind in {"payment_flow", "setup_flow"} and consumer.is_awaited(flow)
            if (order := metadata(flow.shown, ORDER)) is not None
        }

    def close(self) -> None:
        """Let go of the books' file."""
        self.emulator.close()
