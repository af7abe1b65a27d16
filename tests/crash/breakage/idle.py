"""Calls that do nothing but count, one a system call; and which calls reach a disk."""

import ctypes
import os
from contextlib import suppress

_libc = ctypes.CDLL(None)


def _pwrite():
    with suppress(OSError):
        os.pwrite(-1, b"", 0)


def _unlink():
    with suppress(OSError):
        os.unlink("")  # noqa: PTH108 - a path of pathlib is never empty


IDLE = {
    "pwrite64": _pwrite,
    "fdatasync": lambda: _libc.fdatasync(-1),
    "fsync": lambda: _libc.fsync(-1),
    "ftruncate": lambda: _libc.ftruncate(-1, 0),
    "unlink": _unlink,
}
CALLS = tuple(IDLE)
