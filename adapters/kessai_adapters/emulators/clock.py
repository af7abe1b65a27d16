"""The time: the real one, and one that a test moves."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

NO_SUCH_TIME: Final = "no such time: the calendar ends with the year 9999"
_STANDING: Final = timedelta(0)


def utc_now() -> datetime:
    """Return the time, aware and in UTC."""
    return datetime.now(UTC)  # noqa: TID251 (the default of a shell's argument)


class EmulatorClock:
    """A clock in UTC that runs as `clock` does, and can be moved while it runs.

    Give it to an emulator as its `clock`, and to `serve` among the `Controls`.
    """

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._ahead = _STANDING

    def __call__(self) -> datetime:
        """Return the time, aware and in UTC."""
        return self._clock() + self._ahead

    def advance(self, span: timedelta) -> None:
        """Let `span` pass at once.

        Raises:
            ValueError: it is below zero, or leads beyond the year 9999.

        """
        if span < _STANDING:
            message = "time passes forward: to go back, set the clock"
            raise ValueError(message)
        self._move(self._ahead, span)

    def set(self, at: datetime) -> None:
        """Set the time to `at`, which is aware; it runs on from there."""
        if at.tzinfo is None:
            message = f"{at} has no time zone"
            raise ValueError(message)
        self._move(at - self._clock())

    def _move(self, ahead: timedelta, further: timedelta = _STANDING) -> None:
        now = self._clock()
        try:
            self._ahead = now + ahead + further - now
        except OverflowError as error:
            raise ValueError(NO_SUCH_TIME) from error
