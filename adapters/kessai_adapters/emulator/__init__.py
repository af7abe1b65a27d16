"""The gateway's stand-in: VeriTrans4G Amazon Pay, from its documents alone.

    with Emulator(approve="ask") as emulator, serve(emulator) as server:
        print(server.url)

It keeps its own books and its own rules, and shares no code with the engine, so that
the two can disagree. `serve` puts it behind a port, `NotificationSender` delivers its
notifications.
"""

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

__all__ = [
    "DEFAULT_CCID",
    "DEFAULT_KEY",
    "MESSAGES",
    "Approve",
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
