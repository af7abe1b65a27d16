"""The gateway's stand-in: VeriTrans4G Amazon Pay, from its documents alone.

    with Emulator(approve="ask") as emulator:
        client = httpx2.Client(transport=EmulatorTransport(emulator))

It keeps its own books and its own rules, and shares no code with the engine, so that
the two can disagree. `serve` puts it behind a port, `NotificationSender` delivers its
notifications.
"""

from typing import TYPE_CHECKING

from kessai_adapters.emulator.books import Books, Exchange, Order, Totals
from kessai_adapters.emulator.codes import MESSAGES, Code
from kessai_adapters.emulator.consumer import Approve, Consumer
from kessai_adapters.emulator.emulator import Emulator
from kessai_adapters.emulator.errors import (
    BooksBroken,
    BooksInUse,
    EmulatorError,
    Lost,
    NoReply,
    NotConnected,
    OutOfPlay,
    Refused,
)
from kessai_adapters.emulator.faults import Fault
from kessai_adapters.emulator.merchant import DEFAULT_CCID, DEFAULT_KEY, Merchant
from kessai_adapters.emulator.notifications import Notification, compose
from kessai_adapters.emulator.portal import Portal
from kessai_adapters.emulator.protocol import EmulatorReply
from kessai_adapters.emulator.sender import NotificationSender, Patience
from kessai_adapters.emulator.server import RunningServer, serve
from kessai_adapters.emulator.words import (
    Command,
    Consent,
    Kind,
    Payment,
    Result,
)

if TYPE_CHECKING:
    from kessai_adapters.emulator.transport import (
        AsyncEmulatorTransport,
        EmulatorTransport,
    )

__all__ = [
    "DEFAULT_CCID",
    "DEFAULT_KEY",
    "MESSAGES",
    "Approve",
    "AsyncEmulatorTransport",
    "Books",
    "BooksBroken",
    "BooksInUse",
    "Code",
    "Command",
    "Consent",
    "Consumer",
    "Emulator",
    "EmulatorError",
    "EmulatorReply",
    "EmulatorTransport",
    "Exchange",
    "Fault",
    "Kind",
    "Lost",
    "Merchant",
    "NoReply",
    "NotConnected",
    "Notification",
    "NotificationSender",
    "Order",
    "OutOfPlay",
    "Patience",
    "Payment",
    "Portal",
    "Refused",
    "Result",
    "RunningServer",
    "Totals",
    "compose",
    "serve",
]

_TRANSPORTS = frozenset({"AsyncEmulatorTransport", "EmulatorTransport"})


def __getattr__(name: str) -> object:
    # The emulator itself runs without the HTTP client; only its transports need it.
    if name in _TRANSPORTS:
        from kessai_adapters.emulator import transport

        return getattr(transport, name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
