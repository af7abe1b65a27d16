"""Amazon Pay at home: the adapter, its emulator and the way between, in one process.

Published as the entry point `kessai.emulators`, as `local` is.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from kessai_adapters.amazon_pay import AmazonCredentials, AmazonPay
from kessai_adapters.emulators import Controls, EmulatorClock
from kessai_adapters.emulators.amazon_pay import (
    DEFAULT_KEY_ID,
    DEFAULT_MERCHANT,
    TOPIC,
    AmazonPayEmulator,
    as_pem,
    merchant_key,
)
from kessai_adapters.emulators.clock import utc_now
from kessai_adapters.emulators.notifications import NOBODY
from kessai_adapters.in_process_gateway import InProcessGateway, opening

if TYPE_CHECKING:
    from kessai_adapters.amazon_pay.played import PlayedAmazonPay

ACCOUNT = "emulator/amazon_pay"
"""What is at an emulator in this process is at no gateway, and at no served emulator."""

_STORE = "emulator-store"
_REGION = "jp"


@cache
def _credentials() -> AmazonCredentials:
    """Those of this process, read once: checking a key takes longer than a payment."""
    pem = as_pem(merchant_key())
    return AmazonCredentials(DEFAULT_MERCHANT, _STORE, DEFAULT_KEY_ID, pem)


class LocalAmazonPay(InProcessGateway[AmazonPayEmulator]):
    """An adapter of Amazon Pay, and the emulator that answers it.

    `clock` gives aware times in UTC, the real ones unless given; `books` is a file that
    keeps what is at the emulator for a later process, or None. With `approve` as `now` the
    buyer approves at once, with `ask` when a test or a person says so; in either case
    nothing is charged before the shop resumes.

    Raises:
        StoreBusy: another process holds the books.
        StoreUnsuitable: the file of the books is something else.

    """

    name = "amazon_pay"
    merchant = DEFAULT_MERCHANT
    """Who the merchant is at the emulator."""
    lifecycles = ("amazon_pay", "amazon_pay_recurring", "amazon_pay_charge")
    """The shipped ones that are played in the simulator, by name."""
    example = "authorize --lifecycle amazon_pay --amount 1200 --currency JPY"
    """A first command: what `kessai tx do` takes after an order's id."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] | None = None,
        books: Path | str | None = None,
        approve: str = "ask",
    ) -> None:
        moved = EmulatorClock(clock or utc_now)
        with opening(books):
            emulator = AmazonPayEmulator(
                clock=moved, books=books, approves=approve == "now"
            )
        super().__init__(emulator, moved)
        self.adapter = AmazonPay(
            _credentials(),
            region=_REGION,
            host=self.emulator.base_url,
            account=ACCOUNT,
        )

    def controls(self) -> Controls:
        """What can be controlled of the emulator where it is served."""
        return attrs.evolve(
            super().controls(),
            orders=self.emulator.orders,
            triggers=self.emulator.triggers(),
        )

    def notify(self, url: str) -> None:
        """Send notifications to `url` from now on; empty: keep them, to be listed."""
        self.emulator.notification_url = url or NOBODY

    def environment(self, url: str) -> Mapping[str, str]:
        """The variables that point the adapter at the emulator at `url`.

        The key is made up, and another one in every process.
        """
        return {
            "KESSAI_AMAZON_PAY_HOST": url,
            "KESSAI_AMAZON_PAY_MERCHANT_ID": DEFAULT_MERCHANT,
            "KESSAI_AMAZON_PAY_STORE_ID": _STORE,
            "KESSAI_AMAZON_PAY_KEY_ID": DEFAULT_KEY_ID,
            "KESSAI_AMAZON_PAY_KEY": as_pem(merchant_key()).replace("\n", "\\n"),
            "KESSAI_AMAZON_PAY_REGION": _REGION,
            "KESSAI_AMAZON_PAY_TOPIC": TOPIC,
        }

    def played(self) -> "PlayedAmazonPay":
        """The emulator in the hands of `kessai simulate`."""
        from kessai_adapters.amazon_pay.played import PlayedAmazonPay

        return PlayedAmazonPay(self.emulator, self.adapter, self.clock)

    def waiting(self) -> Mapping[str, str]:
        """The buyer's page of every session that waits, by order id."""
        return self.emulator.waiting()
