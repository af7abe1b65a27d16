"""Being asked to stop: the command in hand is finished first, unless asked twice."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from types import FrameType

import attrs

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LOOK_EVERY = 0.1


@attrs.define
class Stop:
    """Whether someone has asked to stop."""

    is_asked: bool = False

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

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.is_asked = True
        restore()

    for number in _SIGNALS:
        signal.signal(number, ask)
    try:
        yield stop
    finally:
        restore()
