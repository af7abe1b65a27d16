"""`kessai audit seal`, and `verify` with seals: keys, files, exit codes, languages."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest


@pytest.fixture
def shop(kessai, tmp_path):
    """A sale at the emulator."""
    db = tmp_path / "shop.db"
    order = ("A-1", "authorize", "--lifecycle", "one_time", "--amount", 1000)
    kessai("tx", "do", *order, "--db", db)
    kessai("tx", "do", "A-1", "capture", "--amount", 900, "--db", db)
    return db


@pytest.fixture
def public(kessai):
    """The public half of a new key in the file `key`."""
    return kessai("audit", "seal", "--new-key", "key", "--json").json["public_key"]


@pytest.fixture
def sealed(kessai, shop, public):
    assert kessai("audit", "seal", "--db", shop, "--key", "key", "--out", "s").code == 0
    return shop


def remove(db, transaction):
    with closing(sqlite3.connect(db, isolation_level=None)) as database:
        for table, column in (
            ("kessai_states", "id"),
            ("kessai_events", "transaction_id"),
            ("kessai_answers", "transaction_id"),
        ):
            database.execute(f"DELETE FROM {table} WHERE {column} = ?", (transaction,))  # noqa: S608


def test_a_new_key_prints_its_public_half_alone(kessai, tmp_path):
    result = kessai("audit", "seal", "--new-key", "key", "--lang", "en")
    assert result.code == 0
    *_, public = result.out.split()
    assert len(bytes.fromhex(public)) == 32
    assert "for its owner alone" in result.out
    assert "PRIVATE" not in result.out
    again = kessai("audit", "seal", "--new-key", "key", "--lang", "ja")
    assert again.code == 2
    assert "never overwritten" in again.err
    other = kessai("audit", "seal", "--new-key", "key2", "--lang", "ja")
    assert "公開鍵" in other.out


def test_sealing_shows_how_to_verify_it(kessai, shop, public):
    result = kessai(
        "audit", "seal", "--db", shop, "--key", "key", "--out", "s", "--lang", "en"
    )
    assert result.code == 0
    assert "Sealed: transactions 1, events 5, in s." in result.out
    command = result.out.splitlines()[-1].split()
    assert command[:1] == ["kessai"]
    assert kessai(*command[1:], "--db", shop).code == 0


def test_json_of_a_seal(kessai, shop, public):
    result = kessai(
        "audit", "seal", "--db", shop, "--key", "key", "--out", "s", "--json"
    )
    seal = result.json["seal"]
    assert (seal["file"], seal["chains"], seal["events"]) == ("s", 1, 5)
    assert seal["public_key"] == public
    assert result.json["report"]["holds"] is True


def test_verify_shows_what_it_was_held_against(kessai, sealed, public):
    result = kessai(
        *("audit", "verify", "--db", sealed, "--seal", "s", "--public-key", public),
        *("--lang", "en"),
    )
    assert result.code == 0
    assert "Compared with the seal of 20" in result.out
    assert "1 chains, s" in result.out


def test_a_public_key_is_typed_or_a_file(kessai, sealed, public, tmp_path):
    (tmp_path / "public.key").write_text(f"{public}\n")
    verify = ("audit", "verify", "--db", sealed, "--seal", "s", "--public-key")
    for given in (public, public.upper(), "public.key"):
        assert kessai(*verify, given).code == 0
    private = kessai(*verify, "key")
    assert private.code == 2
    assert "not an Ed25519 public key; 64 hexadecimal digits are right" in private.err


def test_a_lifecycle_file_gone_is_no_transaction(kessai, sealed, public):
    other = ("A-2", "authorize", "--lifecycle", "recurring", "--amount", 1)
    kessai("tx", "do", *other, "--frequency", "Month:1", "--db", "other.db")
    against = ("audit", "verify", "--seal", "s", "--public-key", public)
    shown = kessai(*against, "--db", "other.db", "--lang", "en")
    assert shown.code == 5
    assert "Does not hold: 1 of 2 trails." in shown.out
    assert "sealed lifecycle files: 1" in shown.out
    faults = kessai(*against, "--db", "other.db", "--json").json["faults"]["first"]
    assert [
        next(iter(sorted({"lifecycle", "transaction"} & {*f}))) for f in faults
    ] == [
        "transaction",
        "lifecycle",
    ]


@pytest.mark.parametrize(
    ("language", "message"),
    [("en", "A-1 event 1: is gone; it was sealed at 20"), ("ja", "封印（20")],
)
def test_a_transaction_gone_is_exit_code_5_and_named(
    kessai, sealed, public, language, message
):
    remove(sealed, "A-1")
    assert kessai("audit", "verify", "--db", sealed).code == 0
    asked = ("audit", "verify", "--db", sealed, "--seal", "s", "--public-key", public)
    result = kessai(*asked, "--lang", language)
    assert result.code == 5
    assert message in result.out
    (fault,) = [
        fault
        for fault in kessai(*asked, "--json").json["faults"]["first"]
        if fault["transaction"] == "A-1"
    ]
    assert (fault["event"], fault["code"]) == (1, "sealed_missing")


def test_seals_follow_each_other(kessai, sealed, public):
    asked = ("audit", "seal", "--db", sealed, "--key", "key")
    second = kessai(*asked, "--previous", "s", "--out", "s2", "--json").json["seal"]
    assert second["previous"]
    verify = ("audit", "verify", "--db", sealed, "--public-key", public)
    alone = kessai(*verify, "--seal", "s2", "--lang", "en")
    assert (alone.code, "that was not given" in alone.out) == (0, True)
    both = kessai(*verify, "--seal", "s2", "--seal", "s", "--json").json["seals"]
    assert [seal["file"] for seal in both] == ["s", "s2"]
    assert not any(seal["follows_unknown"] for seal in both)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_what_does_not_hold_is_reported_and_not_sealed(kessai, shop, public, language):
    with closing(sqlite3.connect(shop, isolation_level=None)) as database:
        database.execute("DELETE FROM kessai_events WHERE number = 5")
    asked = ("audit", "seal", "--db", shop, "--key", "key", "--out", "s")
    result = kessai(*asked, "--lang", language)
    assert result.code == 5
    message = {"en": "Not sealed", "ja": "封印していません"}
    assert message[language] in result.out
    assert not Path("s").exists()
    assert kessai(*asked, "--json").json["seal"] is None


def test_a_seal_that_was_changed_is_exit_code_5(kessai, sealed, public, tmp_path):
    seal = tmp_path / "s"
    seal.write_bytes(seal.read_bytes().replace(b'["A-1",5', b'["A-1",4'))
    result = kessai(
        "audit", "verify", "--db", sealed, "--seal", "s", "--public-key", public
    )
    assert result.code == 5
    assert "changed after it was signed" in result.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("seal",), "--key FILE is missing"),
        (("seal", "--key", "key"), "--out FILE is missing"),
        (("seal", "--new-key", "k", "--out", "s"), "give it alone"),
        (("seal", "--key", "none", "--out", "x"), "cannot be read"),
        (("seal", "--key", "s", "--out", "x"), "others may read"),
        (("seal", "--key", "key", "--out", "s"), "is there already"),
        (("seal", "--key", "key", "--out", "no/x"), "there is no such folder"),
        (("verify", "--seal", "s"), "--public-key"),
        (("verify", "--seal", "none", "--public-key", "0" * 64), "cannot be read"),
        (("verify", "--seal", "s", "--public-key", "0" * 64), "was signed by key"),
        (("verify", "--seal", "s", "--public-key", "12"), "cannot be read"),
        (("verify", "--seal", "shop.db", "--public-key", "0" * 64), "not a whole seal"),
        (("verify", "--seal", ".", "--public-key", "0" * 64), "cannot be read"),
    ],
    ids=str,
)
def test_what_is_wrong_is_reported_with_exit_code_2(
    kessai, sealed, tmp_path, arguments, message
):
    (tmp_path / "s").chmod(0o644)
    result = kessai("audit", *arguments, "--db", sealed)
    assert result.code == 2
    assert message in result.err
    assert "Traceback" not in result.err


def test_a_narrow_terminal_and_a_plain_locale_can_show_it(sealed, public):
    """A locale without Japanese replaces what it lacks."""
    command = [sys.executable, "-m", "kessai", "audit", "verify", "--db", sealed]
    command += ["--seal", "s", "--public-key", public, "--lang", "ja"]
    plain = {**os.environ, "PYTHONUTF8": "0", "LC_ALL": "C", "COLUMNS": "20"}
    ran = subprocess.run(command, env=plain, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert b"\x1b" not in ran.stdout


def test_ctrl_c_leaves_no_file(kessai, sealed, public, tmp_path):
    """Stopped while the store is read."""
    program = (
        "import signal, time, kessai.audit.sealing.seal as seal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored by a job\n"
        "def stop(*_, **__):\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    time.sleep(60)  # nothing is read before the signal has come\n"
        "    yield\n"
        "seal.examinations = stop\n"
        "from kessai.cli.main import main\n"
        f"main(['audit', 'seal', '--db', {str(sealed)!r}, '--key', 'key', '--out', 'x'])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=False
    )
    assert ran.returncode in {130, -signal.SIGINT}
    assert b"Traceback" not in ran.stderr
    assert not list(tmp_path.glob("*x*.part"))
    assert not (tmp_path / "x").exists()
