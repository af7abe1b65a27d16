"""What has been met so far, however much it is: on disk, not in memory."""

import sqlite3


class Seen:
    """Names met so far, each with the note it was first met with.

    A private temporary database of SQLite, which spills to the disk by itself and is
    gone with the process.
    """

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("BEGIN")
        self._db.execute(
            "CREATE TABLE seen (name TEXT PRIMARY KEY, note TEXT NOT NULL)"
            " WITHOUT ROWID"
        )

    def meet(self, name: str, note: str = "") -> str | None:
        """None when `name` is new, else the note of the first time."""
        added = self._db.execute(
            "INSERT OR IGNORE INTO seen VALUES (?, ?)", (name, note)
        )
        if added.rowcount:
            return None
        found = self._db.execute("SELECT note FROM seen WHERE name = ?", (name,))
        return str(found.fetchone()[0])

    def put(self, name: str, note: str) -> str | None:
        """The note that `name` was put or met with last; from now on it is `note`."""
        last = self.meet(name, note)
        if last is not None:
            self._db.execute("UPDATE seen SET note = ? WHERE name = ?", (note, name))
        return last

    def close(self) -> None:
        """Forget all of it."""
        self._db.close()
