"""A real PgBouncer before the tests' server, which pools as it is told to."""

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

ROLE = "pooled"


class NoBouncer(Exception):
    """There is no PgBouncer; the text says what is missing."""


@contextmanager
def pooling(server, schema, mode, **settings):
    """A URL whose sessions are pooled; their user's search path is `schema`."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        raise NoBouncer("no PgBouncer: install pgbouncer")
    with _role(server, schema), tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), _free_port()
        settings |= {"listen_port": port, "pool_mode": mode}
        process = _start(program, folder, server, settings)
        try:
            _wait_for(port, process)
            yield f"postgresql://{ROLE}@127.0.0.1:{port}/shop"
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def _role(server, schema):
    server.run(
        f"CREATE ROLE {ROLE} LOGIN",
        f"ALTER ROLE {ROLE} SET search_path = {schema}",
        f"GRANT ALL ON SCHEMA {schema} TO {ROLE}",
    )
    try:
        yield
    finally:
        server.run(f"DROP OWNED BY {ROLE}", f"DROP ROLE {ROLE}")


def _start(program, folder, server, settings):
    users, file = folder / "users.txt", folder / "pgbouncer.ini"
    users.write_text(f'"{ROLE}" ""\n')
    given = {
        "listen_addr": "127.0.0.1",
        "unix_socket_dir": "",
        "auth_type": "trust",
        "auth_file": users,
        **settings,
    }
    lines = [f"{name} = {value}" for name, value in given.items()]
    there = f"shop = host=127.0.0.1 port={server.port} dbname=postgres"
    file.write_text("\n".join(["[databases]", there, "[pgbouncer]", *lines, ""]))
    account = server._account
    for path in (folder, users, file) if account else ():
        os.chown(path, account["user"], account["group"])
    log = (folder / "log").open("wb")
    with log:
        return subprocess.Popen([program, file], stdout=log, stderr=log, **account)


def _free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _wait_for(port, process):
    until = monotonic() + 60
    while monotonic() < until:
        assert process.poll() is None, "PgBouncer ended"
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            sleep(0.02)
            continue
        return
    raise AssertionError("PgBouncer does not listen")
