"""The stand-in for PAY.JP's API v2 (payment flows), from its documents alone.

    with Emulator(approve="ask") as emulator, serve(emulator) as server:
        print(server.url)

What no document states is the emulator's own choice: for how long idempotency keys are
known, what `next_action` looks like, the `code` of most problems, the types of events
that the pages do not name, and that `expired_at` is the end of an authorization while
one is held. The consumer pays a flow that was not confirmed by the server as the shop's
page would, with its `client_secret`.
"""

from kessai_adapters.emulators.payjp.cards import TEST_CARDS
from kessai_adapters.emulators.payjp.consumer import Approve, Consumer
from kessai_adapters.emulators.payjp.emulator import (
    DEFAULT_KEY,
    DEFAULT_TOKEN,
    KEYS_LAST,
    Emulator,
)
from kessai_adapters.emulators.payjp.events import TOKEN_HEADER
from kessai_adapters.emulators.payjp.faults import OwnFault
from kessai_adapters.emulators.payjp.portal import Portal

__all__ = [
    "DEFAULT_KEY",
    "DEFAULT_TOKEN",
    "KEYS_LAST",
    "TEST_CARDS",
    "TOKEN_HEADER",
    "Approve",
    "Consumer",
    "Emulator",
    "OwnFault",
    "Portal",
]
