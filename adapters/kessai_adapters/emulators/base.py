"""What emulators do alike: each ends with its block, and misbehaves where it is asked to.

And a value of theirs can be another one meanwhile.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Any, Self

from kessai_adapters.emulators.faults import Mishaps


@contextmanager
def meanwhile(holder: object, **values: Any) -> Iterator[None]:
    """Have `holder` hold other values, and then those that it had."""
    before = {name: getattr(holder, name) for name in values}
    for name, value in values.items():
        setattr(holder, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(holder, name, value)


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
