"""A file system that records what is done to the files of a database, in order.

What SQLite's own file system does in silence is recorded with it: the first sync of a
new journal or log also syncs the folder, so that its name is there. A test with strace
shows that it does.
"""

from hashlib import blake2b
from itertools import count
from pathlib import Path

import apsw
import attrs

from breakage.gateway import Gateway
from breakage.player import Player
from breakage.through_apsw import instead_of_sqlite3
from kessai import SQLiteStore

_numbers = count()
_NEW_NAMES = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL

WEAKENED = {
    "PRAGMA synchronous = FULL": ("PRAGMA synchronous = NORMAL", None),
    "PRAGMA synchronous": ("", (2,)),  # and it is not found out
}


@attrs.frozen
class Create:
    name: str
    file: int


@attrs.frozen
class Write:
    file: int
    offset: int
    data: bytes = attrs.field(repr=False)


@attrs.frozen
class Truncate:
    file: int
    size: int


@attrs.frozen
class Sync:
    file: int
    and_folder: bool


@attrs.frozen
class Delete:
    name: str
    and_sync: bool


@attrs.frozen
class Commit:
    """A commit that returned: from here on `content` must be there."""

    content: str


@attrs.define
class Recording:
    """Everything that was done to the files, in order, commits among it."""

    deeds: list = attrs.Factory(list)
    gateway: Gateway | None = None


class _File(apsw.VFSFile):
    def __init__(self, watching, name, flags, number):
        super().__init__("", name, flags)
        self._watching = watching
        self._number = number
        self._folder_too = bool(flags[0] & _NEW_NAMES)

    def xWrite(self, data, offset):  # noqa: N802 - apsw's name
        super().xWrite(data, offset)
        self._watching.note(Write(self._number, offset, bytes(data)))

    def xTruncate(self, size):  # noqa: N802 - apsw's name
        super().xTruncate(size)
        self._watching.note(Truncate(self._number, size))

    def xSync(self, flags):  # noqa: N802 - apsw's name
        super().xSync(flags)
        self._watching.note(Sync(self._number, self._folder_too))
        self._folder_too = False


class _Watching(apsw.VFS):
    def __init__(self, recording):
        self.name = f"watching-{next(_numbers)}"
        self._recording = recording
        self._files = {}
        super().__init__(self.name, "")

    def note(self, deed):
        self._recording.deeds.append(deed)

    def xOpen(self, name, flags):  # noqa: N802 - apsw's name
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        is_new = not Path(path).exists()
        if is_new or path not in self._files:
            self._files[path] = next(_numbers)
        opened = _File(self, name, flags, self._files[path])
        if is_new:
            self.note(Create(Path(path).name, self._files[path]))
        return opened

    def xDelete(self, path, sync_folder):  # noqa: N802 - apsw's name
        super().xDelete(path, sync_folder)
        self.note(Delete(Path(path).name, bool(sync_folder)))


def content(connection):
    """All that a database holds, as one short text."""
    found = blake2b(digest_size=16)
    tables = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    ).fetchall()
    for (table,) in tables:
        rows = connection.execute(f'SELECT * FROM "{table}"').fetchall()  # noqa: S608 - a name that the database gave
        found.update(repr((table, rows)).encode())
    version = connection.execute("PRAGMA user_version").fetchall()
    found.update(repr(version).encode())
    return found.hexdigest()


def record(story, path, *, weakened=False):
    """A story run on the real store, with all that it did to its files."""
    recording = Recording()
    watching = _Watching(recording)

    def committed(connection):
        recording.deeds.append(Commit(content(connection)))

    with instead_of_sqlite3(
        watching.name,
        committed,
        checkpoint_pages=story.checkpoint_pages,
        instead=WEAKENED if weakened else {},
    ):
        recording.gateway = Gateway()
        player = Player(SQLiteStore(path), recording.gateway, story.drives)
        player.play(story.steps)
        player.close()
    watching.unregister()
    for left in Path(path).parent.glob(f"{Path(path).name}*"):
        left.unlink()
    return recording
