"""The flows: each command as a generator of effects, written once for all drivers.

Nothing here does I/O. `kessai.shell` drives flows synchronously and asynchronously.
"""

from kessai.flow.answer import Answer, Status
from kessai.flow.effects import (
    Append,
    Change,
    Declaration,
    Effect,
    Flow,
    History,
    Load,
    Loaded,
    Now,
    OpenTransactions,
    Recorded,
    Send,
)
from kessai.flow.execute import execute, preview
from kessai.flow.look_up import Finding, Missing, Recovery, look_up, open_transactions
from kessai.flow.push import PushNotConfirmed, receive
from kessai.flow.recover import recover, sweep
from kessai.flow.steps import Context

__all__ = [
    "Answer",
    "Append",
    "Change",
    "Context",
    "Declaration",
    "Effect",
    "Finding",
    "Flow",
    "History",
    "Load",
    "Loaded",
    "Missing",
    "Now",
    "OpenTransactions",
    "PushNotConfirmed",
    "Recorded",
    "Recovery",
    "Send",
    "Status",
    "execute",
    "look_up",
    "open_transactions",
    "preview",
    "receive",
    "recover",
    "sweep",
]
