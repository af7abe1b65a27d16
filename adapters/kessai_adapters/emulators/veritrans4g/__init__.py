"""The stand-in for VeriTrans4G Amazon Pay, from its documents alone.

    with Emulator(approve="ask") as emulator, serve(emulator) as server:
        print(server.url)

It keeps its own books and its own rules, and shares no code with the engine, so that
the two can disagree.
"""

from kessai_adapters.emulators.veritrans4g.books import Books, Exchange, Order, Totals
from kessai_adapters.emulators.veritrans4g.codes import MESSAGES, Code
from kessai_adapters.emulators.veritrans4g.consumer import Approve, Consumer
from kessai_adapters.emulators.veritrans4g.emulator import Emulator
from kessai_adapters.emulators.veritrans4g.errors import BooksBroken, Refused
from kessai_adapters.emulators.veritrans4g.faults import OwnFault
from kessai_adapters.emulators.veritrans4g.merchant import (
    DEFAULT_CCID,
    DEFAULT_KEY,
    Merchant,
)
from kessai_adapters.emulators.veritrans4g.notifications import (
    ResultNotification,
    compose,
)
from kessai_adapters.emulators.veritrans4g.portal import Portal
from kessai_adapters.emulators.veritrans4g.words import (
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
    "Code",
    "Command",
    "Consent",
    "Consumer",
    "Emulator",
    "Exchange",
    "Kind",
    "Merchant",
    "Order",
    "OwnFault",
    "Payment",
    "Portal",
    "Refused",
    "Result",
    "ResultNotification",
    "Totals",
    "compose",
]
