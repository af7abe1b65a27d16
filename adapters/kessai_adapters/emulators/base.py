"""What emulators do alike: each ends with its block, and misbehaves where it is asked to."""

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from kessai_adapters.emulators.faults import Mishaps


class Closing:
    """Closes itself at the end of a `with` block, whatever happened in it."""

    def close(self) -> None:
        """Let go of what is held."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Misbehaving(Closing):
    """An emulator that is asked for mishaps from any thread."""

    mishaps: Mishaps
    """What was asked of `misbehave` and has not struck yet."""
    _lock: AbstractContextManager[object]
    """What lets one thread in at a time."""

    def misbehave(
        self,
        fault: str,
        *,
        command: str | None = None,
        times: int = 1,
        carried_out: bool | None = None,
    ) -> None:
        """See `GatewayEmulator.misbehave`."""
        with self._lock:
            self.mishaps.ask(fault, command, times, carried_out=carried_out)

    def behave(self) -> None:
        """Forget every misbehaviour that has not struck yet."""
        with self._lock:
            self.mishaps.clear()
