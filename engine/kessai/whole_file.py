"""Files that are written whole or not at all, whatever breaks off the writing.

    with draft(path) as file:
        file.write(…)
        keep(file, path)

The file is written beside its place under a name of its own, and gets its name once all
of it is on the disk. A reader never finds half of it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

_SQLITE = b"SQLite format 3\0"
_COMPANIONS = ("-wal", "-shm", "-journal", "-queue", ".gateway")
"""What stands beside the file of a store, and is part of it."""


@contextmanager
def draft(path: Path, *, mode: int = 0o666) -> Iterator[BinaryIO]:
    """A new file in the folder of `path`, gone at the end unless `keep` was called.

    It has the permissions of `mode` that the process's umask leaves.

    Raises:
        OSError: no file can be made there.

    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    beside.unlink(missing_ok=True)  # of a process that had our number, and was killed
    try:
        with open(beside, "xb", opener=partial(os.open, mode=mode)) as file:
            yield file
    finally:
        beside.unlink(missing_ok=True)


def keep(file: BinaryIO, path: Path, *, replace: bool = False) -> None:
    """Give a finished draft the name `path`, once it is on the disk.

    Raises:
        FileExistsError: there is a file already, and it is not to be replaced.
        OSError: it cannot be written.

    """
    file.flush()
    os.fsync(file.fileno())
    if replace:
        Path(file.name).replace(path)
    else:
        _name(file, path)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _name(file: BinaryIO, path: Path) -> None:
    try:
        os.link(file.name, path)  # unlike a rename, it never replaces another file
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if path.exists():
            raise FileExistsError(path) from None
        Path(file.name).rename(path)


def is_of_a_database(path: Path) -> bool:
    """Whether `path` is an SQLite database, or a file that belongs to one."""
    names = (path.name.removesuffix(end) for end in ("", *_COMPANIONS))
    return any(_begins_as_sqlite(path.with_name(name)) for name in names if name)


def _begins_as_sqlite(path: Path) -> bool:
    with suppress(OSError):
        if path.is_file():
            with path.open("rb") as file:
                return file.read(len(_SQLITE)) == _SQLITE
    return False
