"""Files that are written whole or not at all, whatever breaks off the writing.

    with draft(path) as file:
        file.write(…)
        keep(file, path)

The file is written beside its place under a name of its own, and gets its name once all
of it is on the disk. A reader never finds half of it.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

_OTHERS = 0o077

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
        FileExistsError: there is a file already, and it is not to be replaced; or it is
            a database's, which never is.
        OSError: it cannot be written.

    """
    check_place(path, replace=replace)
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


def companions(path: Path) -> list[Path]:
    """What may stand beside the store in the file `path`."""
    return [path.with_name(path.name + end) for end in _COMPANIONS]


def check_folder(path: Path) -> None:
    """See that there is a folder for the file `path`, and none in its place.

    Raises:
        OSError: there is none, or one; `strerror` says which.

    """
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(path))
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder", str(path))


def check_place(path: Path, *, replace: bool = False) -> None:
    """See that a file may be written to `path`.

    Raises:
        FileExistsError: a file is there that is not to be replaced, or a database, or
            what stands beside one; `strerror` says which.
        OSError: see `check_folder`.

    """
    check_folder(path)
    names = (path.name.removesuffix(end) for end in ("", *_COMPANIONS))
    if any(_is_database(path.with_name(name)) for name in names if name):
        what = "belongs to a database, and is not overwritten"
        raise FileExistsError(errno.EEXIST, what, str(path))
    if path.is_file() and not replace:
        raise FileExistsError(errno.EEXIST, "is there already", str(path))


def others_may_read(path: Path) -> bool:
    """Whether others than its owner may read the file, where files have such modes."""
    return os.name == "posix" and bool(path.stat().st_mode & _OTHERS)


def _is_database(path: Path) -> bool:
    """Whether SQLite takes the file for its own.

    SQLite is asked, because to open and close a file that it has open in this process
    would give up the locks that it holds there.
    """
    import sqlite3  # late: most files are written by who has no database

    if not path.is_file() or not path.stat().st_size:
        return False
    try:
        place = f"{path.absolute().as_uri()}?immutable=1"
        with closing(sqlite3.connect(place, uri=True)) as connection:
            connection.execute("PRAGMA schema_version")
    except sqlite3.Error as error:
        unreadable = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN}
        return error.sqlite_errorcode & 0xFF not in unreadable
    return True
