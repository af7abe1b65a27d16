"""`recover`, `reconcile`, `sweep` and `tx resolve`: looking after what is left open."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kessai import Command, Engine, HttpTransport, SQLiteStore
from kessai_adapters.local import LocalGateway

AN_HOUR_AGO = datetime.now(UTC) - timedelta(hours=1)  # noqa: TID251


class Past:
    """A shop that had its trouble some time ago."""

    def __init__(self, path, at):
        self.local = LocalGateway(clock=lambda: at, books=Path(f"{path}.gateway"))
        self.engine = Engine(
            adapters=[self.local.adapter],
            store=SQLiteStore(path),
            transport=HttpTransport(self.local.wire),
            clock=lambda: at,
        )

    def does(self, command, amount=None, **fields):
        asked = Command(command, "order", key=command, amount=amount, **fields)
        return self.engine.execute(asked)

    def authorized(self):
        self.does("authorize", 1000, lifecycle="one_time")
        self.engine.recover_transaction("order")

    def suffers(self, fault, command):
        self.local.emulator.misbehave(fault, command=command)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.engine.close()
        self.local.close()


@pytest.fixture
def past(tmp_path):
    """A shop that had its trouble at a time that can be said."""
    return lambda at=AN_HOUR_AGO: Past(tmp_path / "kessai.db", at)


@pytest.fixture
def lost_reply(past):
    with past() as shop:
        shop.authorized()
        shop.suffers("lose_reply", "Capture")
        assert shop.does("capture", 700).status == "unknown"


@pytest.fixture
def lost_request(past):
    with past() as shop:
        shop.authorized()
        shop.suffers("lose_request", "Capture")
        assert shop.does("capture", 700).status == "unknown"


@pytest.fixture
def unreadable(past):
    """The gateway knows nothing of what the trail has."""
    with past(AN_HOUR_AGO - timedelta(days=2)) as shop:
        shop.authorized()
        shop.suffers("lose_request", "Capture")
        shop.does("capture", 700)


def test_a_lost_reply_is_found_and_told(kessai, lost_reply):
    told = kessai("recover", "--json")
    (found,) = told.json["recovered"]
    assert (found["operation"], found["status"]) == ("order.4", "succeeded")
    assert (told.code, told.json["waiting"]) == (0, [])
    assert "Nothing is due." in kessai("recover", "--lang", "en").out


def test_a_lost_request_is_declined_only_behind_the_in_flight_limit(
    kessai, lost_request
):
    kept = kessai("recover", "--in-flight-limit", "600", "--json")
    assert kept.json["recovered"][0]["status"] == "unknown"
    assert kept.code == 4
    # It rests now; a look at another moment is a pause later.
    assert kessai("recover", "--json").json["recovered"] == []


def test_a_lost_request_is_declined_behind_the_in_flight_limit(kessai, lost_request):
    told = kessai("recover", "--lang", "en")
    assert told.code == 0
    assert "declined" in told.out
    assert kessai("tx", "can", "order", "capture").code == 0


def test_a_lost_request_is_sent_again_if_so_wished(kessai, lost_request):
    told = kessai("recover", "--missing", "resend", "--json")
    assert told.json["recovered"][0]["status"] == "succeeded"
    assert kessai("reconcile").code == 0


def test_what_stays_open_for_a_day_waits_for_an_operator(kessai, unreadable):
    told = kessai("recover", "--missing", "keep", "--lang", "en")
    assert told.code == 4
    assert "Waiting for an operator" in told.out
    assert "order.4" in told.out
    assert "kessai tx resolve" in told.out
    resolved = kessai(
        *("tx", "resolve", "order", "order.4", "declined", "--lang", "en"),
        *("--evidence", "the portal has no capture", "--actor", "sato"),
    )
    assert (resolved.code, resolved.out) == (
        0,
        "order.4: declined, on the word of sato.\n",
    )
    assert kessai("recover").code == 0
    trail = kessai("tx", "show", "order", "--events", "--lang", "en").out
    assert "operator" in trail
    assert "sato" in trail


@pytest.fixture
def put_aside(past):
    """Cancelled in the portal while a capture of ours had no answer."""
    with past() as shop:
        shop.authorized()
        shop.suffers("lose_request", "Capture")
        shop.does("capture", 700)
        shop.local.emulator.portal.cancel("order")


def test_who_reconciles_is_told_why_evidence_stands_aside(kessai, put_aside):
    (found,) = kessai("reconcile", "--dry-run", "--json").json["differences"]
    assert (found["kind"], found["reason"]) == ("discrepancy", "operation_open")
    told = kessai("reconcile", "--lang", "en")
    assert "another operation was under way" in told.out


def test_what_stands_aside_waits_with_its_reason(kessai, put_aside):
    kessai("reconcile")
    told = kessai("recover", "--missing", "keep", "--json")
    (one,) = told.json["waiting"]
    (aside,) = one["discrepancies"]
    assert (aside["number"], aside["command"]) == (6, "cancel")
    assert aside["said"] == "operation_open"
    listed = kessai("recover", "--lang", "en").out
    assert "cancel: another operation was under way" in listed
    shown = kessai("tx", "show", "order", "--events", "--lang", "ja").out
    assert "別の処理が未完了だ" in "".join(shown.split())
    verified = kessai("audit", "verify", "--lang", "en").out
    assert "order event 6: another operation was under way" in verified


def test_what_is_not_open_cannot_be_resolved(kessai, lost_reply):
    kessai("recover")
    said = ("--evidence", "x", "--actor", "y")
    for what in (("order.4", "succeeded"), ("2", "closed"), ("two", "closed")):
        told = kessai("tx", "resolve", "order", *what, *said)
        assert told.code == 2
        assert told.out == ""


def test_who_resolves_must_say_how_and_who(kessai, lost_reply):
    resolve = ("tx", "resolve", "order", "order.4", "succeeded")
    assert kessai(*resolve).code == 2
    told = kessai(*resolve, "--evidence", " ", "--actor", "sato")
    assert told.code == 2
    assert "evidence: must be" in told.err


def test_reconciling_prints_every_difference_and_records_it(kessai, past):
    with past() as shop:
        shop.authorized()
        shop.local.emulator.portal.cancel("order")
    dry = kessai("reconcile", "--dry-run", "--json")
    assert dry.code == 4
    assert dry.json["differences"] == [
        {
            "transaction": "order",
            "kind": "external",
            "command": "cancel",
            "amount": None,
            "reason": None,
        }
    ]
    told = kessai("reconcile", "--lang", "en")
    assert "done at the gateway, not asked for here" in told.out
    assert "1 compared; 1 differ, 0 could not be read." in told.out
    again = kessai("reconcile", "--lang", "en")
    assert (again.code, again.out) == (0, "1 compared; nothing differs.\n")


def test_reconciling_speaks_japanese(kessai, lost_reply):
    told = kessai("reconcile", "order", "--lang", "ja")
    assert "結果が未記録" in told.out


def test_reconciling_what_is_not_there_is_said(kessai, lost_reply):
    told = kessai("reconcile", "order-9")
    assert told.code == 2
    assert "there is no transaction 'order-9'" in told.err


def test_reconciling_finds_what_the_gateway_does_not_list(kessai, lost_reply, tmp_path):
    kessai("recover")
    (tmp_path / "kessai.db.gateway").unlink()
    told = kessai("reconcile", "--json")
    kinds = {(d["kind"], d["command"]) for d in told.json["differences"]}
    assert kinds == {("unconfirmed", "authorize"), ("unconfirmed", "capture")}


def test_a_sweep_moves_what_is_overdue(kessai, past):
    with past(AN_HOUR_AGO - timedelta(days=31)) as shop:
        shop.authorized()
    told = kessai("sweep", "--lang", "en")
    assert told.code == 0
    assert "payment.expired" in told.out
    assert "1 moved over a deadline." in told.out
    assert kessai("sweep", "--json").json == {"moved": []}


def test_a_watch_goes_on_until_it_is_stopped(lost_reply, tmp_path):
    """It tells what it found at once, and Ctrl-C ends it quietly."""
    watching = subprocess.Popen(
        [sys.executable, "-m", "kessai", "recover", "--watch", "--lang", "en"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    told = ""
    while "succeeded" not in told:
        line = watching.stdout.readline()
        assert line, watching.stderr.read()
        told += line
    watching.send_signal(signal.SIGINT)
    out, err = watching.communicate(timeout=300)
    assert watching.returncode == 0
    assert "Traceback" not in err
    assert "Traceback" not in out
