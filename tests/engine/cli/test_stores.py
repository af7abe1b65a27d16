"""Stores that are not there, that are nobody's, and that may only be read."""

import json
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from kessai import SQLiteStore
from kessai.errors import StoreFailed
from kessai.testing.store_kit.conformance import Book

AN_ORDER = ("authorize", "--lifecycle", "one_time", "--amount", 700)
BY_HAND = ("--evidence", "seen", "--actor", "sato")

LOOKING = [
    ("tx", "list"),
    ("tx", "show", "order"),
    ("tx", "can", "order"),
    ("tx", "diagram", "order", "--format", "mermaid"),
    ("audit", "verify"),
    ("audit", "report", "--format", "json"),
    ("audit", "coverage", "--json"),
    ("export", "movements"),
]
ACTING = [
    ("recover",),
    ("recover", "--watch"),
    ("reconcile",),
    ("reconcile", "order"),
    ("sweep",),
    ("tx", "do", "order", "capture"),
    ("tx", "do", "order", "refund", "--dry-run"),
    ("tx", "resolve", "order", "order.1", "succeeded", *BY_HAND),
    ("tx", "close", "order", "3", *BY_HAND),
]


@pytest.mark.parametrize("command", LOOKING + ACTING, ids=" ".join)
@pytest.mark.parametrize("is_file", [False, True], ids=["no file", "an empty file"])
def test_a_mistyped_store_is_refused_and_not_made(kessai, tmp_path, command, is_file):
    path = tmp_path / "mistyped.db"
    if is_file:
        path.touch()
    refused = kessai(*command, "--db", path)
    assert refused.code == 2
    assert "there is no store" in refused.err
    assert refused.out == "" or "there is no store" in refused.json["error"]["message"]
    assert list(tmp_path.iterdir()) == [path] * is_file
    assert not is_file or path.stat().st_size == 0


def test_a_missing_folder_is_called_so_wherever_something_is_to_be_made(
    kessai, tmp_path
):
    (tmp_path / "folder").mkdir()
    assert kessai("tx", "do", "order", *AN_ORDER).code == 0
    for command in (
        ("tx", "do", "new", *AN_ORDER, "--db"),
        ("export", "movements", "--out"),
        ("audit", "report", "--format", "csv", "--out"),
        ("audit", "seal", "--new-key"),
        ("emulator", "serve", "--port", 0, "--books"),
    ):
        missing = kessai(*command, "nodir/x")
        assert missing.code == 2
        assert "nodir/x: there is no such folder" in missing.err
    taken = kessai("tx", "list", "--db", "folder")
    assert taken.err == "kessai: folder: is a folder\n"
    assert kessai("tx", "do", "new", *AN_ORDER, "--db", "folder").code == 2


def test_a_seal_of_no_store_is_refused_and_nothing_is_made(kessai, tmp_path):
    kessai("audit", "seal", "--new-key", "key")
    how = ("--key", "key", "--out", "seal")
    refused = kessai("audit", "seal", "--db", "mistyped.db", *how)
    assert refused.code == 2
    assert "there is no store" in refused.err
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_run_and_an_opening_command_make_a_store_and_say_so(kessai, few, tmp_path):
    for command in (("run", few), ("tx", "do", "order", *AN_ORDER)):
        made = kessai(*command, "--db", "new.db", "--lang", "en")
        assert made.code == 0
        assert "kessai: new.db: a new store was made.\n" in made.err
        again = kessai(*command, "--db", "new.db", "--lang", "en")
        assert "new store" not in again.err
        Path("new.db").unlink()
    said = kessai("run", few, "--db", "new.db", "--lang", "ja").err
    assert "new.db：新しいストアを作成しました。" in said


def test_a_preview_of_an_opening_command_makes_no_store(kessai, tmp_path):
    asked = kessai("tx", "do", "order", *AN_ORDER, "--dry-run", "--json")
    assert (asked.code, json.loads(asked.out)["allowed"]) == (0, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [*LOOKING, ("recover",), ("run", "few.jsonl")])
def test_another_programs_database_is_no_store(kessai, few, tmp_path, command):
    with closing(sqlite3.connect(tmp_path / "other.db")) as other, other:
        other.execute("CREATE TABLE it (number)")
    before = (tmp_path / "other.db").read_bytes()
    refused = kessai(*command, "--db", "other.db")
    assert refused.code == 2
    assert "a database of another program" in refused.err
    assert (tmp_path / "other.db").read_bytes() == before


@pytest.fixture
def ordered(kessai):
    assert kessai("tx", "do", "order", *AN_ORDER).code == 0


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        (("--state", "bogus"), ("captured", "consent.consented", "payment.captured")),
        (("--lifecycle", "bogus"), ("charge", "one_time", "recurring")),
        (("--account", "bogus"), ("emulator/local",)),
    ],
)
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_name_that_nothing_has_is_refused_with_those_that_there_are(
    kessai, ordered, asked, known, form
):
    refused = kessai("tx", "list", *asked, *form)
    assert refused.code == 2
    assert "transactions" not in refused.out
    assert f"{asked[0]} 'bogus': known are " in refused.err
    for name in known:
        assert name in refused.err


def test_a_state_that_no_transaction_is_in_is_no_mistake(kessai, ordered):
    for state in ("refunded", "payment.refunded", "consent.terminated"):
        listed = kessai("tx", "list", "--state", state, "--json")
        assert (listed.code, listed.json["transactions"]) == (0, [])
    assert kessai("tx", "list", "--lifecycle", "charge", "--json").code == 0


@contextmanager
def an_ordinary_user():
    """Root may write anywhere; whoever else runs this is one already."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def archive(kessai, ordered, tmp_path):
    """A folder that anyone may read, with a copy of the store."""
    folder = Path(tempfile.mkdtemp())
    shutil.copy(tmp_path / "kessai.db", folder / "kessai.db")
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("of_folder", "of_file"), [(0o555, 0o444), (0o555, 0o644), (0o777, 0o444)]
)
def test_what_may_only_be_read_is_read_and_audited(kessai, archive, of_folder, of_file):
    path = archive / "kessai.db"
    commands = [(*command, "--db", path) for command in LOOKING]
    found = [kessai(*command).out for command in commands]
    path.chmod(of_file)
    archive.chmod(of_folder)
    kept = path.read_bytes()
    with an_ordinary_user():
        again = [kessai(*command) for command in commands]
        with (
            closing(SQLiteStore(path, must_exist=True)) as store,
            pytest.raises(StoreFailed, match="readonly database"),
        ):
            Book(store, "another").begin()
    assert [result.code for result in again] == [0] * len(again)
    for command, before, after in zip(commands, found, again, strict=True):
        if command[:2] != ("audit", "report"):  # it says when it was made
            assert after.out == before
    assert path.read_bytes() == kept


@pytest.mark.parametrize(("of_folder", "of_file"), [(0o777, 0o444), (0o555, 0o644)])
def test_a_backup_that_may_only_be_read_is_read_and_audited(
    kessai, archive, tmp_path, of_folder, of_file
):
    path = archive / "backup.db"
    with closing(sqlite3.connect(archive / "kessai.db")) as connection:
        connection.execute("VACUUM INTO ?", [str(path)])
    path.chmod(of_file)
    archive.chmod(of_folder)
    kept = path.read_bytes()
    with an_ordinary_user():
        again = [kessai(*command, "--db", path) for command in LOOKING]
    assert [result.code for result in again] == [0] * len(again)
    assert path.read_bytes() == kept


def test_commits_that_stand_beside_a_read_only_file_are_not_passed_over(
    kessai, archive, ordered, tmp_path
):
    with closing(SQLiteStore(tmp_path / "kessai.db")):  # so that nothing moves them
        assert kessai("tx", "do", "second", *AN_ORDER).code == 0
        for end in ("", "-wal"):
            shutil.copy(tmp_path / f"kessai.db{end}", archive / f"kessai.db{end}")
    archive.chmod(0o555)
    with an_ordinary_user():
        refused = kessai("audit", "verify", "--db", archive / "kessai.db")
    assert refused.code == 2
    assert "commits stand in kessai.db-wal: copy both" in refused.err


def test_a_file_that_changes_while_it_is_read_as_unchanging_is_found_out(archive):
    path = archive / "kessai.db"
    archive.chmod(0o555)
    with an_ordinary_user(), closing(SQLiteStore(path, must_exist=True)) as store:
        assert [t.id for t in store.transactions()] == ["order"]
        os.seteuid(os.getuid())
        archive.chmod(0o755)
        with closing(sqlite3.connect(path)) as writer, writer:
            writer.execute("UPDATE kessai_states SET status = 'captured'")
        with pytest.raises(StoreFailed, match="was changed while it was being read"):
            store.load(None, "order", None)
