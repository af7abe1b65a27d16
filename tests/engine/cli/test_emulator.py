"""`kessai emulator serve`: a real server in a process of its own, and its clients."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import attrs
import pytest
import trustme

from kessai import HttpTransport, Request
from kessai.errors import StoreBusy, StoreUnsuitable
from kessai_adapters.veritrans4g.local import LocalGateway

SOON = 300  # seconds, for what should take one; a machine may be busy


@attrs.define
class Served:
    """A running emulator, and commands of other processes that go to it."""

    process: subprocess.Popen
    announced: dict
    environment: dict

    @property
    def url(self):
        return self.announced["url"]

    def kessai(self, *arguments):
        """Run one command there; its exit code and what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "kessai", *map(str, arguments)],
            env=self.environment,
            capture_output=True,
            check=False,
            timeout=SOON,
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def do(self, db, *arguments):
        """Have a command carried out at the emulator; its answer."""
        asked = ("tx", "do", *arguments, "--db", db, "--gateway", "veritrans4g")
        code, out, err = self.kessai(*asked, "--json")
        assert out, err
        return code, json.loads(out)

    def stop(self, how=signal.SIGINT):
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=SOON)
        return self.process.returncode, out.decode(), err.decode()


def begin(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "kessai", "emulator", "serve", "--port", "0"]
        + [str(argument) for argument in arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@contextmanager
def serving(*arguments, **variables):
    """An emulator in a process of its own, which prints as JSON how to reach it."""
    process = begin(*arguments, "--json")
    try:
        announced = json.loads(process.stdout.readline())
        environment = {**os.environ, **announced["environment"], **variables}
        yield Served(process, announced, environment)
    finally:
        process.kill()
        process.communicate()


def test_a_command_goes_over_http_and_ctrl_c_ends_it_cleanly(tmp_path):
    with serving() as served:
        assert served.url.startswith("http://127.0.0.1:")
        order = ("A-1", "authorize", "--lifecycle", "one_time", "--amount", 1200)
        code, answer = served.do(tmp_path / "a.db", *order)
        assert (code, answer["status"]) == (0, "succeeded")
        assert answer["transaction"]["states"] == {"payment": "authorized"}
        code, answer = served.do(tmp_path / "a.db", "A-1", "capture")
        assert answer["transaction"]["amounts"]["captured"] == 1200
        code, out, err = served.stop()
    assert (code, out) == (0, "")
    assert "Traceback" not in err


def test_a_command_goes_over_https_where_the_authority_is_trusted(tmp_path):
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    cert, key, trusted = (tmp_path / name for name in ("cert", "key", "trusted"))
    issued.cert_chain_pems[0].write_to_path(cert)
    issued.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(trusted)
    order = ("A-1", "authorize", "--lifecycle", "one_time", "--amount", 1200)
    with serving("--tls-cert", cert, "--tls-key", key) as served:
        assert served.url.startswith("https://127.0.0.1:")
        code, answer = served.do(tmp_path / "stranger.db", *order)
        # A connection that was never made proves that nothing was sent.
        assert (code, answer["status"]) == (3, "declined")
        assert answer["may_send_again"] is True
        served.environment["SSL_CERT_FILE"] = str(trusted)
        code, answer = served.do(tmp_path / "a.db", *order)
        assert (code, answer["status"]) == (0, "succeeded")
        assert served.stop(signal.SIGTERM)[0] == 0


def consent(page):
    """Do on a consumer's page what a consumer who consents does there."""
    path = page.partition("?")[0]
    form = (("Content-Type", "application/x-www-form-urlencoded"),)
    body = f"session={page.rpartition('session=')[2]}".encode()
    with HttpTransport() as browser:
        shown = browser.send(Request(method="GET", url=page))
        assert "1,200" in shown.body.decode()
        for button in ("login", "approve"):
            url = f"{path}/{button}"
            browser.send(Request(method="POST", url=url, headers=form, body=body))


def test_a_person_plays_the_consumer_on_the_page_that_is_printed(tmp_path):
    process = begin("--approve", "ask", "--lang", "en")
    try:
        text = iter(lambda: process.stdout.readline().decode(), "")
        exports = {}
        for line in text:
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").strip().partition("=")
                exports[name] = value
            if "no secret" in line:
                break
        served = Served(process, {}, {**os.environ, **exports})
        db = tmp_path / "a.db"
        order = ("A-1", "authorize", "--lifecycle", "one_time", "--amount", 1200)
        code, answer = served.do(db, *order, "--key", "k")
        assert (code, answer["status"]) == (4, "pending")
        assert "A-1" in next(text)
        page = next(text).strip()
        assert page.startswith(exports["KESSAI_VERITRANS_HOST"])
        consent(page)
        code, answer = served.do(db, *order, "--key", "k")
        assert (code, answer["status"]) == (0, "succeeded")
        assert served.stop()[0] == 0
    finally:
        process.kill()
        process.communicate()


def test_a_shell_runs_what_is_printed(tmp_path):
    process = begin("--gateway", "amazon_pay", "--lang", "en")
    try:
        script = ["set -e\n"]
        while not script[-1].startswith("kessai "):
            line = process.stdout.readline().decode()
            assert line, "it ended before the command"
            if line.startswith(("export ", "kessai ")):
                script.append(line)
        bin_ = Path(sys.executable).parent
        done = subprocess.run(
            ["/bin/sh"],
            input="".join(script).encode(),
            env={**os.environ, "PATH": f"{bin_}:{os.environ['PATH']}"},
            cwd=tmp_path,
            capture_output=True,
            check=False,
            timeout=SOON,
        )
    finally:
        process.kill()
        process.communicate()
    assert done.returncode == 4, done.stderr
    assert b"sent on to the gateway" in done.stdout


class Shop(HTTPServer):
    """A shop on loopback that takes notifications."""

    def __init__(self):
        self.came = threading.Event()
        self.body = b""
        super().__init__(("127.0.0.1", 0), _Taking)


class _Taking(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.server.came.set()

    def log_message(self, *args):
        pass


def test_notifications_reach_a_shop_on_loopback(tmp_path):
    order = ("A-1", "authorize", "--lifecycle", "one_time", "--amount", 1200)
    with Shop() as shop, serving() as served:
        thread = threading.Thread(target=shop.serve_forever, args=(0.01,))
        thread.start()
        try:
            url = f"http://127.0.0.1:{shop.server_port}/notified"
            served.environment["KESSAI_VERITRANS_NOTIFICATION_URL"] = url
            served.do(tmp_path / "a.db", *order)
            assert shop.came.wait(SOON)
        finally:
            shop.shutdown()
            thread.join()
    assert b"orderId0000=A-1" in shop.body


def test_a_gateway_of_one_endpoint_is_given_it_where_it_is_served(tmp_path):
    order = ("authorize", "--lifecycle", "card", "--amount", 1200, "--currency", "JPY")
    with Shop() as shop:
        thread = threading.Thread(target=shop.serve_forever, args=(0.01,))
        thread.start()
        url = f"http://127.0.0.1:{shop.server_port}/notified"
        try:
            with serving("--gateway", "payjp", "--notify", url) as served:
                asked = ("--db", tmp_path / "a.db", "--gateway", "payjp")
                served.kessai("tx", "do", "A-1", *order, *asked)
                assert shop.came.wait(SOON)
        finally:
            shop.shutdown()
            thread.join()
    assert b"payment_flow." in shop.body


def test_notifications_go_nowhere_but_to_this_machine(kessai):
    asked = ("emulator", "serve", "--notify", "https://shop.example/notified")
    refused = kessai(*asked)
    assert refused.code == 2
    assert "a URL on this machine is right" in " ".join(refused.err.split())


def test_a_notification_that_nobody_takes_is_counted_at_the_end(tmp_path):
    order = ("A-1", "authorize", "--lifecycle", "one_time", "--amount", 1200)
    with serving("--lang", "en") as served:
        served.environment["KESSAI_VERITRANS_NOTIFICATION_URL"] = (
            "https://shop.example/notified"
        )
        served.do(tmp_path / "a.db", *order)
        code, _, err = served.stop()
    assert code == 0
    assert "notifications that nobody took: 1" in err


def test_books_are_kept_for_the_next_time_and_held_by_one(tmp_path, kessai):
    books, db = tmp_path / "books", tmp_path / "a.db"
    order = ("A-1", "authorize", "--lifecycle", "one_time", "--amount", 1200)
    with serving("--books", books) as served:
        served.do(db, *order)
        served.stop()
    with serving("--books", books) as served:
        assert served.do(db, "A-1", "capture")[0] == 0


def test_a_port_in_use_is_reported_in_a_line(kessai):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = kessai("emulator", "serve", "--port", port)
    assert result.code == 2
    assert f"--port {port}: is in use" in result.err
    assert result.out == ""


def test_a_certificate_needs_its_key_and_must_be_one(kessai, tmp_path):
    rubbish = tmp_path / "cert.pem"
    rubbish.write_text("rubbish")
    alone = kessai("emulator", "serve", "--port", 0, "--tls-cert", rubbish)
    assert alone.code == 2
    assert "go together" in alone.err
    pair = ("--tls-cert", rubbish, "--tls-key", rubbish)
    wrong = kessai("emulator", "serve", "--port", 0, *pair)
    assert wrong.code == 2
    assert "cannot be used" in wrong.err


def test_books_that_are_something_else_are_refused(kessai, tmp_path):
    books = tmp_path / "books"
    books.write_text("a shopping list, and a long one at that" * 100)
    result = kessai("emulator", "serve", "--port", 0, "--books", books)
    assert result.code == 2
    assert "not the emulator's books" in result.err
    with pytest.raises(StoreUnsuitable):
        LocalGateway(books=books)


def test_books_in_use_may_be_tried_again_later(tmp_path, monkeypatch):
    monkeypatch.setattr("kessai_adapters.emulators.shelf._PATIENCE_SECONDS", 0.01)
    first = LocalGateway(books=tmp_path / "books")
    with pytest.raises(StoreBusy):
        LocalGateway(books=tmp_path / "books")
    first.close()
    LocalGateway(books=tmp_path / "books").close()


def test_what_is_announced_leads_the_adapter_to_the_emulator():
    from kessai_adapters.veritrans4g import VeriTrans4G

    local = LocalGateway(approve="ask")
    with local.serve(port=0) as server:
        adapter = VeriTrans4G.from_environment(local.environment(server.url))
    assert adapter.dummy
    assert adapter.credentials == local.adapter.credentials
    local.transport.close()
    local.close()
