"""`kessai listen`, `emulator replay` and `trigger`, beside a running emulator."""

import json
import signal
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from kessai_adapters.veritrans4g.local import LocalGateway

SOON = 300  # seconds, for what should take one; a machine may be busy


class Hook(HTTPServer):
    """A shop's endpoint that keeps what it is sent, and answers with a status."""

    def __init__(self, status=200):
        self.status = status
        self.got = []
        super().__init__(("127.0.0.1", 0), Posted)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/hook"


class Posted(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.headers["Content-Hmac"], body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *args):
        pass


@contextmanager
def open_hook(status=200):
    with Hook(status) as hook:
        thread = threading.Thread(target=hook.serve_forever, args=(0.01,))
        thread.start()
        yield hook
        hook.shutdown()
        thread.join()


@pytest.fixture
def hook():
    with open_hook() as hook:
        yield hook


@pytest.fixture
def local():
    with closing(LocalGateway(approve="ask")) as local:
        yield local


@pytest.fixture
def at(local, monkeypatch):
    """The address of a served emulator, which every command here is given."""
    monkeypatch.delenv("KESSAI_EMULATOR", raising=False)
    with local.serve(port=0) as server:
        monkeypatch.setenv("KESSAI_EMULATOR", server.url)
        yield server.url


def delivered(local):
    """Deliver what there is, and be sure of it."""
    with local.deliver_notifications():
        pass


def lines(result):
    return [json.loads(line) for line in result.out.splitlines()]


def test_each_notification_is_shown_with_what_became_of_it(kessai, at, local, hook):
    assert kessai("emulator", "trigger", "Capture", "--url", hook.url).code == 0
    waiting = kessai("listen", "--once", "--lang", "en")
    assert waiting.code == 0
    assert all(line.endswith("being delivered") for line in waiting.out.splitlines())
    delivered(local)
    result = kessai("listen", "--once", "--json")
    assert [
        (one["number"], one["name"], one["delivery"], one["status"])
        for one in lines(result)
    ] == [(1, "Authorize", "delivered", 200), (2, "Capture", "delivered", 200)]
    (order,) = {one["order"] for one in lines(result)}
    shown = kessai("listen", "--once", "--lang", "ja").out.splitlines()
    assert shown[1] == f"#2  {lines(result)[1]['id']}  Capture  {order}  配信済み: 200"


def test_one_is_forwarded_as_it_is_and_replayed_by_its_id(kessai, at, local, hook):
    where = "http://127.0.0.1:9/nobody"
    kessai("emulator", "trigger", "Authorize", "--url", where)
    (sent,) = local.emulator.take_notifications()
    result = kessai("listen", "--once", "--forward-to", hook.url, "--json")
    assert [one["forwarded"] for one in lines(result)] == [200]
    assert hook.got == [(sent.headers["Content-Hmac"], sent.body)]

    again = kessai("emulator", "replay", sent.id, "--lang", "en")
    assert again.out == f"Sent again: Authorize ({sent.id})\n"
    assert local.emulator.take_notifications() == [sent]
    numbers = [one["number"] for one in lines(kessai("listen", "--once", "--json"))]
    assert numbers == [1, 2]


def test_a_shop_that_refuses_or_is_not_there_is_shown(kessai, at):
    kessai("emulator", "trigger", "Authorize", "--url", "http://127.0.0.1:9/nobody")
    with open_hook(503) as busy:
        url = busy.url
        asked = ("listen", "--once", "--lang", "en", "--forward-to", url)
        assert kessai(*asked).out.endswith("forwarded: 503\n")
    assert kessai(*asked).out.endswith("nobody answered\n")


@contextmanager
def listening(*asked):
    """A listener in a process of its own, which is ready."""
    process = subprocess.Popen(
        (sys.executable, "-m", "kessai", "listen", "--lang", "en", *asked),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        ready = process.stderr.readline()
        assert ready.startswith(b"Listening to the emulator of veritrans4g")
        yield process
    finally:
        process.kill()
        process.communicate()


def test_it_listens_until_it_is_stopped(at, local, hook):
    local.emulator.triggers["Cancel"](hook.url)  # before: that is not shown
    with listening("--forward-to", hook.url) as process:
        order = local.emulator.triggers["Refund"](hook.url)
        said = [process.stdout.readline().decode() for _ in range(3)]
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=SOON)
    names = [line.split()[2] for line in said]
    assert names == ["Authorize", "Capture", "Refund"]
    assert all(order in line and "forwarded: 200" in line for line in said)
    assert (process.returncode, out, err) == (0, b"", b"")
    assert len(hook.got) == 3


def test_a_delivery_that_ends_later_is_a_second_line(at, local, hook):
    with listening("--json") as process:
        local.emulator.triggers["Authorize"](hook.url)
        came = json.loads(process.stdout.readline())
        delivered(local)
        ended = json.loads(process.stdout.readline())
    assert (came["number"], came["delivery"]) == (1, "waiting")
    assert (ended["number"], ended["delivery"], ended["status"]) == (
        1,
        "delivered",
        200,
    )


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("listen", "--once", "--gateway", "stripe"), "that of veritrans4g"),
        (("listen", "--forward-to", "https://shop.example/"), "a URL on this machine"),
        (("emulator", "replay", "00000099"), "no notification 00000099"),
        (
            ("emulator", "trigger", "Dispute", "--url", "http://localhost:9/"),
            "no trigger 'Dispute': Authorize, Cancel, Capture, Refund, Terminate",
        ),
        (("emulator", "trigger", "Capture", "--url", "hook"), "a URL on this machine"),
    ],
)
def test_what_cannot_be_is_refused_and_says_what_would_be_right(
    kessai, at, words, reason
):
    result = kessai(*words)
    assert result.code == 2
    assert reason in " ".join(result.err.split())


def test_where_no_emulator_runs_it_says_how_to_start_one(kessai, hook):
    result = kessai("listen", "--once", "--emulator", "http://127.0.0.1:9")
    assert result.code == 2
    assert "start one: `kessai emulator serve`" in " ".join(result.err.split())


def test_a_server_that_is_no_emulator_is_known_as_such(kessai, hook):
    address = hook.url.removesuffix("/hook")
    result = kessai("emulator", "replay", "n1", "--emulator", address)
    assert result.code == 2
    assert "no emulator of kessai's" in " ".join(result.err.split())
