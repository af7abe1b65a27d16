"""Stand-ins for gateways, each written from its gateway's documents alone.

    with Emulator(approve="ask") as emulator, serve(emulator) as server:
        print(server.url)

Here stands what is no gateway's own: a request in and a reply out, what may go wrong on
the way, the port in front, and the notifications. `GatewayEmulator` says what each
emulator has. None of them shares code with the engine, so that the two can disagree;
`in_process` alone knows the engine's contract.
"""

from kessai_adapters.emulators.clock import EmulatorClock
from kessai_adapters.emulators.contract import GatewayEmulator, Served
from kessai_adapters.emulators.control import Controls
from kessai_adapters.emulators.errors import (
    BooksInUse,
    EmulatorError,
    Lost,
    NoReply,
    NotConnected,
    OutOfPlay,
)
from kessai_adapters.emulators.faults import (
    Fault,
    FaultRule,
    Mishap,
    Mishaps,
    suffer,
)
from kessai_adapters.emulators.notifications import Notification, Outbox
from kessai_adapters.emulators.reply import EmulatorReply
from kessai_adapters.emulators.sender import LOOPBACK, NotificationSender, Patience
from kessai_adapters.emulators.server import RunningServer, serve
from kessai_adapters.emulators.shelf import Shelf

__all__ = [
    "LOOPBACK",
    "BooksInUse",
    "Controls",
    "EmulatorClock",
    "EmulatorError",
    "EmulatorReply",
    "Fault",
    "FaultRule",
    "GatewayEmulator",
    "Lost",
    "Mishap",
    "Mishaps",
    "NoReply",
    "NotConnected",
    "Notification",
    "NotificationSender",
    "OutOfPlay",
    "Outbox",
    "Patience",
    "RunningServer",
    "Served",
    "Shelf",
    "serve",
    "suffer",
]
