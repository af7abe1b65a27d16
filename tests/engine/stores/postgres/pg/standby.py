"""A hot standby of the tests' server: a copy that follows it, and can be promoted."""

import os
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

from pg.server import OwnServer


class Standby(OwnServer):
    """A server that follows `primary`, in a folder of its own."""

    def __init__(self, primary, folder):
        super().__init__(primary._binaries, folder, primary._account)
        self._primary = primary

    def make(self):
        source = self._primary.url.replace("/postgres", "/")
        copying = ["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
        self._call("pg_basebackup", "--dbname", source, *copying)
        self.start()

    def catch_up(self):
        """Wait until all that the primary has committed can be read here."""
        ((end,),) = self._primary.run("SELECT pg_current_wal_flush_lsn()::text")
        until = monotonic() + 60
        while not self.run(f"SELECT pg_last_wal_replay_lsn() >= '{end}'")[0][0]:
            assert monotonic() < until, "the standby does not follow"
            sleep(0.02)

    def become_standby(self):
        """Restart as a standby, as a primary does that has lost its place."""
        (self._folder / "data" / "standby.signal").touch()
        self.restart("fast")

    def promote(self):
        self._call("pg_ctl", "--wait", "promote")


@contextmanager
def following(primary):
    """A standby of `primary`."""
    with TemporaryDirectory(prefix="kessai-standby-") as name:
        folder = Path(name)
        if account := primary._account:
            os.chown(folder, account["user"], account["group"])
        standby = Standby(primary, folder)
        standby.make()
        try:
            yield standby
        finally:
            standby.stop()
