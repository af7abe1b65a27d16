"""Being asked to stop: the command in hand is finished first, unless asked twice."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import attrs

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@attrs.define
class Stop:
    """Whether someone has asked to stop."""

    is_asked: bool = False


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
