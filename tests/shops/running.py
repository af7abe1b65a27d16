"""Runs a shop as it is run for real: in processes of its own, behind a port.

Owns how each is started. What the shops do is theirs.
"""

import multiprocessing
import os
import runpy
import secrets
import signal
import socket
import sys
from base64 import b64encode
from contextlib import contextmanager, suppress
from pathlib import Path

import attrs
import httpx

HERE = Path(__file__).parent
PATIENCE = 60
"""Seconds after which a process counts as hung."""


FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(
    [
        "django.contrib.admin",
        "django.core.management",
        "fastapi",
        "flask",
        "gunicorn.app.wsgiapp",
        "httpx",
        "kessai.async_engine",
        "kessai.cli.events.send",
        "kessai.stores.postgres",
        "kessai.telemetry.telemetry",
        "kessai_adapters.veritrans4g",
        "pytest",
        "sqlalchemy.ext.asyncio",
        "sqlalchemy.orm",
        "uvicorn",
    ]
)
"""Where processes are forked from: to import all of it takes each of them seconds."""


def become(words, folder, environment, log, listens):
    """Be a program: what `python WORDS` would be in that folder, with its own group.

    `{fd}` among its words is the socket that it `listens` on.
    """
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    with log.open("a") as written:
        os.dup2(written.fileno(), sys.stdout.fileno())
        os.dup2(written.fileno(), sys.stderr.fileno())
    number = listens and listens.detach()
    program, *rest = [str(word).format(fd=number) for word in words]
    sys.path.insert(0, str(folder))
    if program == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = [program, *rest]
        runpy.run_path(program, run_name="__main__")


@attrs.frozen
class Recipe:
    """How a shop is started, by the arguments of Python.

    `prepare` makes its tables, `hear` writes what becomes of payments to its orders; an
    empty one is done by the server itself. `{fd}` is the socket that it listens on.
    """

    folder: str
    serve: str
    prepare: str = ""
    hear: str = ""


RECIPES = {
    "django": Recipe(
        "django_shop",
        "-m gunicorn --bind fd://{fd} wsgi",
        prepare="prepare.py",
        hear="manage.py follow_payments",
    ),
    "fastapi": Recipe("fastapi_shop", "-m uvicorn --fd {fd} shop:shop"),
    "flask": Recipe(
        "flask_shop",
        "-m gunicorn --bind fd://{fd} shop:app",
        hear="-m kessai events send --subscriber orders --url {url}/events",
    ),
}


@attrs.frozen
class Host:
    """A machine on which one shop's processes run, with its database and its gateway.

    `database` is a file, or the URL of a PostgreSQL database; `gateway` has the
    variables that lead to the gateway's stand-in. What processes print is in `log`.
    """

    recipe: Recipe
    database: str
    gateway: dict[str, str]
    log: Path
    password: str = attrs.field(factory=lambda: secrets.token_urlsafe(12), repr=False)
    _secret: str = attrs.field(
        init=False,
        repr=False,
        factory=lambda: "whsec_" + b64encode(secrets.token_bytes(32)).decode(),
    )

    @property
    def kessai_db(self):
        """Where kessai's tables are: in the shop's file, or in a schema beside."""
        beside = "?options=-csearch_path%3Dkessai" if "://" in self.database else ""
        return f"{self.database}{beside}"

    def environment(self, url="", rules=None):
        """The variables of a process, of the shop at `url`, with `rules` of its own."""
        return {
            **os.environ,
            **self.gateway,
            "KESSAI_DB": self.kessai_db,
            "KESSAI_VERITRANS_NOTIFICATION_URL": f"{url}/payments" if url else "",
            "KESSAI_WEBHOOK_SECRET": self._secret,
            "SHOP_DB": self.database,
            "SHOP_LIFECYCLE": "" if rules is None else str(rules),
            "SHOP_PASSWORD": self.password,
        }

    @contextmanager
    def started(self, *words, url="", rules=None, ends_by=signal.SIGTERM, listens=None):
        """A process of the shop's, which is ended with all that it has started."""
        environment = self.environment(url, rules)
        given = (words, HERE / self.recipe.folder, environment, self.log, listens)
        process = FORKING.Process(target=become, args=given)
        process.start()
        try:
            yield process
            if ends_by == signal.SIGTERM:
                process.terminate()
                process.join(PATIENCE)
                if process.exitcode not in {0, -signal.SIGTERM}:
                    raise RuntimeError(self.log.read_text())
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.join(PATIENCE)

    def prepare(self):
        """Make the shop's tables, where its server does not."""
        if self.recipe.prepare:
            with self.started(self.recipe.prepare, ends_by=None) as process:
                process.join(PATIENCE)
                if process.exitcode:
                    raise RuntimeError(self.log.read_text())

    @contextmanager
    def hearing(self, url):
        """The shop's orders hear what becomes of their payments."""
        if not self.recipe.hear:
            yield
            return
        with self.started(*self.recipe.hear.format(url=url).split(), url=url):
            yield

    @contextmanager
    def served(self, *before, port=0, **options):
        """The shop behind a port; its URL, once it answers there.

        `before` are words that go before the server's own: see `dying.py`.
        """
        with socket.create_server(("127.0.0.1", port)) as listening:
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            words = (*before, *self.recipe.serve.split())
            with self.started(*words, url=url, listens=listening, **options):
                listening.close()  # should the shop end, nobody waits in line for it
                httpx.get(url, timeout=PATIENCE)
                yield url
