"""Child processes for the kits: each made by a fork, and none left behind."""

import os
import signal
import traceback
import warnings
from collections.abc import Callable
from time import monotonic, sleep

import pytest

from kessai.testing.transport_kit.waits import PATIENCE_SECONDS, POLL_SECONDS


class Child:
    """A child process that does `work` and gives its text, of a few thousand bytes.

    Where processes do not fork, the test that wants one is skipped.
    """

    def __init__(self, work: Callable[[], str]) -> None:
        if not hasattr(os, "fork"):
            pytest.skip("only where processes fork")
        self._given, giving = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads: as meant
            self._process = os.fork()
        if not self._process:
            _end_with(work, giving)
        os.close(giving)

    def ended(self) -> str | None:
        """What the child gave; None if it raised or hung. It is gone then."""
        status = self._waited_for()
        with os.fdopen(self._given, "rb") as given:
            return given.read().decode() if status == 0 else None

    def _waited_for(self) -> int:
        until = monotonic() + PATIENCE_SECONDS
        while monotonic() < until:
            found, status = os.waitpid(self._process, os.WNOHANG)
            if found:
                return status
            sleep(POLL_SECONDS)
        os.kill(self._process, signal.SIGKILL)
        return os.waitpid(self._process, 0)[1]


def _end_with(work: Callable[[], str], giving: int) -> None:
    """Do the work of a child process, and end it, whatever happens."""
    status = 1
    try:
        os.write(giving, work().encode())
        status = 0
    except BaseException:  # noqa: BLE001 - it ends in this process
        traceback.print_exc()
    finally:
        os._exit(status)
