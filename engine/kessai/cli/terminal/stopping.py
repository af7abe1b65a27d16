"""Being asked to stop: the command in hand is finished first, unless asked twice."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from types import FrameType

import attrs

from kessai.cli.terminal.exits import DONE, STOPPED
from kessai.cli.terminal.output import note

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LOOK_EVERY = 0.1


@attrs.define
class Stop:
    """Whether someone has asked to stop; by Ctrl-C it `is_interrupted`."""

    is_asked: bool = False
    is_interrupted: bool = False
    _breaks_off: bool = False

    @property
    def code(self) -> int:
        """The exit code of a command that goes on until it is stopped.

        Who stops a service by SIGTERM sees no failure.
        """
        return STOPPED if self.is_interrupted else DONE

    def ended(self, code: int, stopped: str) -> int:
        """The exit code of work that ends by itself, with `code`.

        If it was stopped before, it has its own, and `stopped` is said.
        """
        if not self.is_asked:
            return code
        note(stopped)
        return STOPPED

    def ask(self, number: int) -> None:
        """Note a signal.

        Raises:
            KeyboardInterrupt: what is under way is broken off by it.

        """
        self.is_asked = True
        self.is_interrupted = number == signal.SIGINT
        if self._breaks_off:
            raise KeyboardInterrupt

    @contextmanager
    def breaking_off(self) -> Iterator[None]:
        """Have what is done within broken off by a signal, and not finished first."""
        self._breaks_off = True
        try:
            yield
        finally:
            self._breaks_off = False

    def rest(self, seconds: float) -> bool:
        """Wait, but not on after being asked to stop; whether that is still to come."""
        until = monotonic() + seconds
        while not self.is_asked and (left := until - monotonic()) > 0:
            sleep(min(left, _LOOK_EVERY))
        return not self.is_asked


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Note the first Ctrl-C or SIGTERM; the second has its usual effect at once."""
    stop = Stop()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def note(number: int, _frame: FrameType | None) -> None:
        restore()
        stop.ask(number)

    for number in _SIGNALS:
        signal.signal(number, note)
    try:
        yield stop
    finally:
        restore()
