"""`recover`, `reconcile`, `sweep`, `tx resolve`, `tx close`: what is left open."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kessai import Command, Engine, Failure, SQLiteStore
from kessai.flow import RecoveryFailure
from kessai_adapters.veritrans4g.local import LocalGateway

AN_HOUR_AGO = datetime.now(UTC) - timedelta(hours=1)  # noqa: TID251


class Past:
    """A shop that had its trouble some time ago."""

    def __init__(self, path, at, **wishes):
        books = Path(f"{path}.gateway")
        self.local = LocalGateway(clock=lambda: at, books=books, **wishes)
        self.engine = Engine(
            adapters=[self.local.adapter],
            store=SQLiteStore(path),
            transport=self.local.transport,
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


class Silent:
    """The way to a gateway that nothing comes back from."""

    def send(self, request):
        return Failure(sent=True, reason="timed out")

    def close(self):
        pass


@pytest.fixture
def past(tmp_path):
    """A shop that had its trouble at a time of one's choice."""
    return lambda at=AN_HOUR_AGO, **more: Past(tmp_path / "kessai.db", at, **more)


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


def test_a_lost_reply_is_found_and_reported(kessai, lost_reply):
    result = kessai("recover", "--json")
    (found,) = result.json["recovered"]
    assert (found["operation"], found["status"]) == ("order.4", "succeeded")
    assert (result.code, result.json["waiting"]) == (0, [])
    assert "Nothing is due." in kessai("recover", "--lang", "en").out


def test_a_lost_request_is_declined_only_behind_the_in_flight_limit(
    kessai, lost_request
):
    kept = kessai("recover", "--in-flight-limit", "600", "--json")
    assert kept.json["recovered"][0]["status"] == "unknown"
    assert kept.code == 4
    # It rests now; a look at another moment is a pause later.
    assert kessai("recover", "--json").json["recovered"] == []


def test_a_lost_request_is_presumed_lost_behind_the_in_flight_limit(
    kessai, lost_request
):
    result = kessai("recover", "--lang", "en")
    assert result.code == 0
    assert "presumed lost" in result.out
    assert kessai("tx", "can", "order", "capture").code == 0


def test_a_lost_request_is_sent_again_if_so_wished(kessai, lost_request):
    result = kessai("recover", "--missing", "resend", "--json")
    assert result.json["recovered"][0]["status"] == "succeeded"
    assert kessai("reconcile").code == 0


def test_a_gateway_that_does_not_answer_is_named(kessai, past):
    with past(AN_HOUR_AGO) as shop:
        shop.authorized()
        shop.suffers("lose_reply", "Capture")
        shop.does("capture", 700)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(LocalGateway, "transport", property(lambda _: Silent()))
        first = kessai("recover", "--lang", "en")
        again = kessai("recover", "--lang", "en")
    assert first.code == 4
    assert "unknown (the gateway did not answer an inquiry)" in first.out
    assert again.code == 0
    assert again.out == (
        "Nothing is due yet. Still open: 1, inquired about again later.\n"
    )


def test_an_in_flight_limit_too_short_is_told_why(kessai, lost_reply):
    refused = kessai("recover", "--in-flight-limit", 5)
    assert refused.code == 2
    assert "0:06:30 or more is right" in refused.err
    for no_limit in ("nan", "inf"):
        assert kessai("recover", "--in-flight-limit", no_limit).code == 2


def test_all_that_a_gateway_lacks_is_told_at_once(kessai, lost_reply):
    with pytest.MonkeyPatch.context() as patched:
        for name in ("CCID", "KEY"):
            patched.delenv(f"KESSAI_VERITRANS_{name}", raising=False)
        refused = kessai("recover", "--gateway", "veritrans4g")
    assert refused.err == (
        "kessai: KESSAI_VERITRANS_CCID and KESSAI_VERITRANS_KEY are not set\n"
    )


def test_an_order_that_is_not_there_is_named_to_an_operator(kessai, lost_reply):
    by = ("--evidence", "portal", "--actor", "sato")
    for asked in (("resolve", "no", "no.4", "declined"), ("close", "no", 7)):
        refused = kessai("tx", *asked, *by)
        assert refused.code == 2
        assert refused.err == "kessai: there is no transaction 'no'\n"


def test_what_stays_open_for_a_day_waits_for_an_operator(kessai, unreadable):
    result = kessai("recover", "--missing", "keep", "--lang", "en")
    assert result.code == 4
    assert "Waiting for an operator" in result.out
    assert "order.4" in result.out
    assert "kessai tx resolve" in result.out
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


def test_what_waits_for_its_consumer_waits_for_no_operator(kessai, past):
    """They have 48 hours; then it ends by itself."""
    with past(AN_HOUR_AGO - timedelta(hours=29), approve="ask") as shop:
        assert shop.does("authorize", 1000, lifecycle="one_time").status == "pending"
    (found,) = kessai("recover", "--json").json["recovered"]
    assert found["status"] == "pending"
    assert kessai("recover", "--json").json["waiting"] == []


@pytest.fixture
def cancelled_meanwhile(past):
    """Cancelled in the portal while a capture of ours had no answer."""
    with past() as shop:
        shop.authorized()
        shop.suffers("lose_request", "Capture")
        shop.does("capture", 700)
        shop.local.emulator.portal.cancel("order")


def test_reconciling_shows_why_there_is_a_discrepancy(kessai, cancelled_meanwhile):
    (found,) = kessai("reconcile", "--dry-run", "--json").json["differences"]
    assert (found["kind"], found["reason"]) == ("discrepancy", "operation_open")
    result = kessai("reconcile", "--lang", "en")
    assert "another operation was under way" in result.out


def test_a_discrepancy_waits_with_its_reason(kessai, cancelled_meanwhile):
    kessai("reconcile")
    result = kessai("recover", "--missing", "keep", "--json")
    (one,) = result.json["waiting"]
    (discrepancy,) = one["discrepancies"]
    assert (discrepancy["number"], discrepancy["command"]) == (6, "cancel")
    assert discrepancy["stated"] == "operation_open"
    listed = kessai("recover", "--lang", "en").out
    assert "cancel: another operation was under way" in listed
    shown = kessai("tx", "show", "order", "--events", "--lang", "ja").out
    assert "別の処理が未完了だ" in "".join(shown.split())
    verified = kessai("audit", "verify", "--lang", "en").out
    assert "order event 6: another operation was under way" in verified


def test_a_discrepancy_that_is_explained_is_closed_by_what_explains_it(
    kessai, cancelled_meanwhile
):
    kessai("reconcile")
    (closed,) = kessai("recover", "--json").json["closed"]
    assert (closed["transaction"], closed["number"]) == ("order", 6)
    trail = kessai("tx", "show", "order", "--events", "--json").json["events"]
    explaining = trail[closed["closed_by"] - 1]
    assert (explaining["event"], explaining["command"]) == ("external", "cancel")
    assert trail[5]["closed_by"] == closed["closed_by"]
    assert kessai("tx", "show", "order", "--json").json["discrepancies"] == []
    again = kessai("recover", "--json")
    assert (again.code, again.json["waiting"], again.json["closed"]) == (0, [], [])
    assert kessai("audit", "verify", "--json").json["discrepancies"]["count"] == 0
    (reported,) = kessai("audit", "report", "--json").json["closed"]["first"]
    assert (reported["event"], reported["actor"]) == (6, "")
    assert reported["closed_by"] == closed["closed_by"]
    rows = kessai("export", "events", "--format", "ndjson").out.splitlines()
    assert json.loads(rows[closed["closed_by"] - 1])["reasons"] == "event 6"


@pytest.mark.parametrize(
    ("language", "recovered", "shown"),
    [
        ("en", "Discrepancy 6 of order is closed, by event 8.", "closed by event 8"),
        (
            "ja",
            "order の不一致 6 はイベント 8 で解決しました。",
            "イベント 8 で解決済み",
        ),
    ],
)
def test_what_closed_a_discrepancy_is_told(
    kessai, cancelled_meanwhile, language, recovered, shown
):
    kessai("reconcile")
    assert recovered in kessai("recover", "--lang", language).out
    trail = kessai("tx", "show", "order", "--events", "--lang", language).out
    assert "".join(shown.split()) in "".join(trail.split())


def test_an_operator_closes_a_discrepancy(kessai, cancelled_meanwhile):
    kessai("reconcile")
    closed = kessai(
        *("tx", "close", "order", "6", "--lang", "en"),
        *("--evidence", "wanted", "--actor", "sato"),
    )
    assert (closed.code, closed.out) == (0, "Discrepancy 6 of order is closed.\n")
    shown = kessai("tx", "show", "order", "--events", "--lang", "en").out
    assert "closed" in shown
    assert "wanted" in shown
    assert kessai("audit", "verify", "--json").json["discrepancies"]["count"] == 0


def test_what_is_not_open_cannot_be_resolved(kessai, lost_reply):
    kessai("recover")
    evidence = ("--evidence", "x", "--actor", "y")
    for wrong in (
        ("resolve", "order", "order.4", "succeeded"),
        ("close", "order", "2"),
        ("close", "order", "two"),
    ):
        result = kessai("tx", *wrong, *evidence)
        assert result.code == 2
        assert result.out == ""


def test_resolving_needs_evidence_and_a_name(kessai, lost_reply):
    resolve = ("tx", "resolve", "order", "order.4", "succeeded")
    assert kessai(*resolve).code == 2
    result = kessai(*resolve, "--evidence", " ", "--actor", "sato")
    assert result.code == 2
    assert "evidence: must be" in result.err


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
    result = kessai("reconcile", "--lang", "en")
    assert "done at the gateway, not asked for here" in result.out
    assert "1 compared; 1 differ, 0 could not be read." in result.out
    again = kessai("reconcile", "--lang", "en")
    assert (again.code, again.out) == (0, "1 compared; nothing differs.\n")


def test_reconciling_speaks_japanese(kessai, lost_reply):
    result = kessai("reconcile", "order", "--lang", "ja")
    assert "結果が未記録" in result.out


def test_reconciling_what_is_not_there_is_reported(kessai, lost_reply):
    result = kessai("reconcile", "order-9")
    assert result.code == 2
    assert "there is no transaction 'order-9'" in result.err


def test_reconciling_finds_what_the_gateway_does_not_list(kessai, lost_reply, tmp_path):
    kessai("recover")
    (tmp_path / "kessai.db.gateway").unlink()
    result = kessai("reconcile", "--json")
    kinds = {(d["kind"], d["command"]) for d in result.json["differences"]}
    assert kinds == {("unconfirmed", "authorize"), ("unconfirmed", "capture")}


def test_a_sweep_moves_what_is_overdue(kessai, past):
    with past(AN_HOUR_AGO - timedelta(days=31)) as shop:
        shop.authorized()
    result = kessai("sweep", "--lang", "en")
    assert result.code == 0
    assert "order         expired" in result.out
    assert "1 moved over a deadline." in result.out
    assert kessai("sweep", "--json").json == {"moved": []}
    assert kessai("sweep", "--lang", "en").out == "Nothing is overdue.\n"


def test_a_watch_goes_on_until_it_is_stopped(lost_reply, tmp_path):
    """It shows what it found at once, and Ctrl-C ends it quietly."""
    watching = subprocess.Popen(
        [sys.executable, "-m", "kessai", "recover", "--watch", "--lang", "en"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    result = ""
    while "succeeded" not in result:
        line = watching.stdout.readline()
        assert line, watching.stderr.read()
        result += line
    watching.send_signal(signal.SIGINT)
    out, err = watching.communicate(timeout=300)
    assert watching.returncode == 130
    assert "Traceback" not in err
    assert "Traceback" not in out


@pytest.fixture
def two_overdue(past):
    """Two authorizations of long ago; what came of either's capture, nobody knows."""
    with past(AN_HOUR_AGO - timedelta(days=31)) as shop:
        for name in ("one", "two"):
            opening = {"amount": 9, "lifecycle": "one_time"}
            shop.engine.execute(Command("authorize", name, key=name, **opening))
            shop.engine.recover_transaction(name)
            shop.suffers("lose_reply", "Capture")
            shop.engine.execute(Command("capture", name, key=f"{name}.2", amount=9))


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("command", "method"),
    [
        ("recover --once", "recover_next"),
        ("reconcile", "reconcile"),
        ("sweep", "sweep"),
    ],
)
@pytest.mark.usefixtures("two_overdue")
def test_stopped_halfway_a_pass_finishes_what_is_in_hand_and_says_so(
    kessai, monkeypatch, command, method, which
):
    """Whoever reads the exit code of a nightly job must not take a half for the whole."""
    calls = []
    do = getattr(Engine, method)

    def stopped_at_the_first(engine, *arguments, **more):
        calls.append(arguments)
        signal.raise_signal(which)
        return do(engine, *arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Engine, method, stopped_at_the_first)
        stopped = kessai(*command.split(), "--lang", "en")
    assert len(calls) == 1
    assert stopped.code == 130
    assert stopped.err.endswith("Run it again for the rest.\n")
    assert "Nothing" not in stopped.out
    assert kessai(*command.split(), "--lang", "en").code != 130


def test_one_order_that_cannot_be_recovered_holds_up_no_other(past, kessai, tmp_path):
    with past() as shop:
        shop.authorized()
        shop.suffers("lose_reply", "Capture")
        shop.does("capture", 700)
        for name in ("broken", "whole"):
            asked = Command("authorize", name, key=name, amount=5, lifecycle="one_time")
            shop.engine.execute(asked)
    with closing(sqlite3.connect(tmp_path / "kessai.db")) as store, store:
        store.execute(
            "UPDATE kessai_events SET hash = '' WHERE transaction_id = 'broken'"
        )
    ran = kessai("recover", "--json")
    assert ran.code == 4
    assert "recovery failed: broken: TrailBroken: event 1 of broken" in ran.err
    found = {each["transaction"] for each in json.loads(ran.out)["recovered"]}
    assert found == {"order", "whole"}
    (waiting,) = json.loads(ran.out)["waiting"]
    noted = waiting["recovery_failure"]
    assert (waiting["transaction"], noted["times"]) == ("broken", 1)
    assert noted["error"].startswith("TrailBroken: event 1 of broken")


@pytest.fixture
def stumbling(past, tmp_path):
    """A lost reply whose recovery failed twice, while nobody was looking."""
    with past() as shop:
        shop.authorized()
        shop.suffers("lose_reply", "Capture")
        shop.does("capture", 700)
        (account,) = shop.engine.store.accounts()
        noon = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
        late = datetime.now(UTC) - timedelta(minutes=1)  # noqa: TID251
        lease = shop.engine.store.claim(late, late, [account])
        failure = RecoveryFailure(noon, 2, "KeyError in shop.adapter, line 3")
        shop.engine.store.release(lease, late, failure)


def test_a_recovery_that_failed_unseen_is_shown_until_one_succeeds(kessai, stumbling):
    shown = kessai("tx", "show", "order", "--json").json["recovery_failure"]
    assert shown == {
        "at": "2026-01-02T12:00:00Z",
        "times": 2,
        "error": "KeyError in shop.adapter, line 3",
    }
    sentence = (
        "KeyError in shop.adapter, line 3 (last at 2026-01-02 12:00:00 UTC, times"
    )
    told = kessai("tx", "show", "order", "--lang", "en").out
    assert "Recovery failure" in told
    assert sentence in " ".join(told.split())
    assert "回復の失敗" in kessai("tx", "show", "order", "--lang", "ja").out
    assert kessai("audit", "verify").code == 0
    assert kessai("recover", "--json").json["waiting"] == []
    assert kessai("tx", "show", "order", "--json").json["recovery_failure"] is None


def test_what_cannot_be_read_at_all_is_listed_and_holds_up_nothing(
    kessai, lost_reply, tmp_path
):
    with closing(sqlite3.connect(tmp_path / "kessai.db")) as store, store:
        store.execute("UPDATE kessai_states SET state = x'7b' WHERE id = 'order'")
    for _ in range(2):
        ran = kessai("recover", "--lang", "en")
        assert ran.code == 4
        listed = " ".join(ran.out.split())
        assert "Recovery failure: TrailBroken: a stored transaction is not" in listed
        assert "Where recovery failed, mend what is named" in listed


def test_a_broken_trail_with_a_discrepancy_is_listed_and_loses_no_report(
    kessai, cancelled_meanwhile, tmp_path
):
    kessai("reconcile")
    with closing(sqlite3.connect(tmp_path / "kessai.db")) as store, store:
        store.execute("UPDATE kessai_events SET hash = '' WHERE number = 1")
    (waiting,) = kessai("recover", "--missing", "keep", "--json").json["waiting"]
    assert waiting["recovery_failure"]["error"].startswith("TrailBroken: event 1")
    assert "Recovery failure" in kessai("recover", "--lang", "en").out
