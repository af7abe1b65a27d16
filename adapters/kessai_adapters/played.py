"""What every emulator in the hands of the simulator has in common."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

import attrs

from kessai.gateway import Reply, Request
from kessai_adapters.emulators import EmulatorError, GatewayEmulator
from kessai_adapters.emulators.in_process import exchange

AnyEmulator = TypeVar("AnyEmulator", bound=GatewayEmulator)


@attrs.frozen(eq=False)
class BookedAct:
    """Something that moved money, or may; what came of it is read when it is asked."""

    read: Callable[[], str]

    @property
    def result(self) -> str:
        """`success`, `failure` or `pending`."""
        return self.read()


class Played(Generic[AnyEmulator]):
    """An emulator that the simulator plays; what its gateway has not is answered here."""

    def __init__(self, emulator: AnyEmulator) -> None:
        self._emulator = emulator

    def carry_out(self, request: Request, mishap: str | None) -> Reply:
        """Answer a request that arrived."""
        if mishap is None:
            return exchange(self._emulator, request)
        self._emulator.misbehave(mishap)
        reply = exchange(self._emulator, request)
        self._emulator.behave()
        return reply

    def brought(self, order: str) -> Mapping[str, str]:  # noqa: ARG002
        """Nothing: the consumer's page tells the gateway, and not the shop."""
        return {}

    def references(self, order: str) -> Mapping[str, str]:  # noqa: ARG002
        """None: it goes by the shop's own."""
        return {}

    def reversible(self) -> Sequence[str]:
        """None: what has succeeded stays."""
        return ()

    def take_back(self, order: str) -> bool:  # noqa: ARG002
        """Not here."""
        return False

    def close(self) -> None:
        """Let go of what is held."""
        self._emulator.close()


def done(act: Callable[[], object]) -> bool:
    """Whether `act` could be done: an emulator's error says no."""
    with suppress(EmulatorError):
        act()
        return True
    return False
