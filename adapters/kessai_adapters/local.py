"""The gateway at home: the adapter, its emulator and the way between, in one process.

Published as the entry point `kessai.emulators`, so that the command line finds it
without knowing any adapter.
"""

import sqlite3
import tomllib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kessai.errors import StoreBusy, StoreUnsuitable
from kessai_adapters.emulators import BooksInUse, NotificationSender
from kessai_adapters.emulators.clock import EmulatorClock, utc_now
from kessai_adapters.emulators.in_process import (
    AsyncEmulatorTransport,
    EmulatorTransport,
)
from kessai_adapters.emulators.veritrans4g import (
    DEFAULT_CCID,
    DEFAULT_KEY,
    Emulator,
    Kind,
)
from kessai_adapters.emulators.veritrans4g.words import Step
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G

if TYPE_CHECKING:
    from kessai_adapters.played import PlayedGateway


ACCOUNT = "emulator/local"
"""What is at an emulator in this process is at no gateway, and at no served emulator."""


class LocalGateway:
    """A VeriTrans4G adapter in test mode, and the emulator that answers it.

    `clock` gives aware times in UTC, the real ones unless given; `books` is a file that
    keeps the emulator's orders for a later process, or None; `approve` is what the
    consumer does: `now` or `ask`.

    Raises:
        StoreBusy: another process holds the books.
        StoreUnsuitable: the file of the books is something else.

    """

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
        make = partial(Emulator, approve=approve, books=books)
        self.clock = EmulatorClock(clock or utc_now)
        """The emulator's, which can be moved."""
        try:
            self.emulator = make(clock=self.clock)
        except BooksInUse as error:
            raise StoreBusy(str(error)) from error
        except sqlite3.DatabaseError as error:
            message = f"{books}: not the emulator's books: {error}"
            raise StoreUnsuitable(message) from error
        self.adapter = VeriTrans4G(
            Credentials(DEFAULT_CCID, DEFAULT_KEY), dummy=True, account=ACCOUNT
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
            orders=lambda: self.emulator.books.orders,
            triggers=self.emulator.triggers,
        )
        return serve(self.emulator, controls=controls, port=port, tls=tls)

    def deliver_notifications(self) -> NotificationSender:
        """Deliver notifications by HTTP, on loopback alone; a context manager."""
        return NotificationSender(self.emulator)

    def environment(self, url: str) -> Mapping[str, str]:
        """The variables that point the adapter at the emulator at `url`.

        The credentials are made up and the same for everyone: they open nothing else.
        """
        return {
            "KESSAI_VERITRANS_HOST": url,
            "KESSAI_VERITRANS_CCID": DEFAULT_CCID,
            "KESSAI_VERITRANS_KEY": DEFAULT_KEY,
            "KESSAI_VERITRANS_DUMMY": "1",
        }

    @property
    def merchant(self) -> str:
        """Who the merchant is at the emulator."""
        return self.emulator.merchant.ccid

    def story(self) -> list[dict[str, Any]]:
        """What happens in `kessai demo`."""
        text = files("kessai_adapters.veritrans4g").joinpath("demo.toml").read_text()
        steps: list[dict[str, Any]] = tomllib.loads(text)["step"]
        return steps

    def played(self) -> "PlayedGateway":
        """The emulator in the hands of `kessai simulate`."""
        from kessai_adapters.played import PlayedGateway

        return PlayedGateway(self.emulator, self.adapter, self.clock)

    def waiting(self) -> Mapping[str, str]:
        """The consumer's page of every opening command that waits, by order id."""
        page_url = self.emulator.consumer.page_url
        return {
            order.order_id: page_url(order)
            for order in tuple(self.emulator.books.orders.values())
            if order.kind is not Kind.REAUTHORIZED and order.step is not Step.FINISHED
        }

    def close(self) -> None:
        """Let go of the books' file."""
        self.emulator.close()
