"""Misbehaviour on request: what may go wrong between a merchant and the gateway.

Owns the list of what was asked for and which exchange it hits. Faults of the network
are carried out by `emulator`, those of the gateway itself (`PENDING`, `REFUSE`) by
`operations`.
"""

from enum import StrEnum
from typing import Final

import attrs

from kessai_adapters.emulator.words import READS, Command


class Fault(StrEnum):
    """What goes wrong with an exchange."""

    REFUSE_CONNECTION = "refuse_connection"
    """No connection: nothing is sent, nothing happens."""

    LOSE_REQUEST = "lose_request"
    """Sent, never arrives; the client waits in vain."""

    LOSE_REPLY = "lose_reply"
    """Arrives and is carried out; the reply never comes."""

    HTTP_500 = "http_500"
    """Carried out, answered by HTTP 500."""

    HTTP_502 = "http_502"
    """Carried out, answered by HTTP 502."""

    HTTP_503 = "http_503"
    """Not carried out, answered by HTTP 503."""

    GARBAGE = "garbage"
    """Carried out, answered by HTTP 200 and bytes that are no JSON."""

    TRUNCATE = "truncate"
    """Carried out, and the reply breaks off in its middle."""

    SHIFT_JIS = "shift_jis"
    """Carried out, answered in Shift_JIS where UTF-8 is announced."""

    PENDING = "pending"
    """Accepted and answered `pending`, final when the test asks for that."""

    REFUSE = "refuse"
    """Refused by Amazon Pay: a `failure` that changes nothing."""


NOT_CARRIED_OUT: Final = frozenset(
    {Fault.REFUSE_CONNECTION, Fault.LOSE_REQUEST, Fault.HTTP_503}
)
"""The faults that strike before anything happens, unless asked otherwise."""

STATUS: Final = {Fault.HTTP_500: 500, Fault.HTTP_502: 502, Fault.HTTP_503: 503}

# The gateway plays these itself, in the middle of its work.
_GATEWAYS_OWN: Final = frozenset({Fault.PENDING, Fault.REFUSE})


@attrs.define
class Mishap:
    """A fault that waits for its exchange."""

    fault: Fault
    command: Command | None
    left: int
    carried_out: bool

    def hits(self, command: Command) -> bool:
        """Return whether an exchange of this command suffers it."""
        if self.command is None:
            return self.fault is not Fault.PENDING or command not in READS
        return self.command is command


class Mishaps:
    """All faults that were asked for and have not struck yet, in order."""

    def __init__(self) -> None:
        self._waiting: list[Mishap] = []

    def ask(
        self,
        fault: Fault,
        command: Command | None,
        times: int,
        *,
        carried_out: bool | None = None,
    ) -> None:
        """Let the next `times` exchanges of `command` (any, if None) suffer `fault`."""
        if times < 1:
            message = "times must be at least 1"
            raise ValueError(message)
        if fault is Fault.PENDING and command in READS:
            message = f"{command} changes nothing and cannot be pending"
            raise ValueError(message)
        if carried_out is None:
            carried_out = fault not in NOT_CARRIED_OUT
        elif fault in _GATEWAYS_OWN or fault is Fault.REFUSE_CONNECTION:
            message = f"{fault} leaves no choice of being carried out"
            raise ValueError(message)
        self._waiting.append(Mishap(fault, command, times, carried_out))

    def next(self, command: Command) -> Mishap | None:
        """Return what an exchange of `command` suffers, and count it."""
        for place, mishap in enumerate(self._waiting):
            if mishap.hits(command):
                mishap.left -= 1
                if mishap.left == 0:
                    del self._waiting[place]
                return mishap
        return None

    def clear(self) -> None:
        """Forget every fault that has not struck yet."""
        self._waiting.clear()
