"""What is written goes over no store, and over no other file unless that is asked for."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from kessai import SQLiteStore
from kessai.testing.pytest_plugin.observer import check_former

AN_ORDER = ("authorize", "--lifecycle", "one_time", "--amount", 700)
KEY = ("--key", "seal.key")

REPLACEABLE = {
    **{
        f"report {form}": ("audit", "report", "--format", form, "--out")
        for form in ("html", "json", "csv")
    },
    **{
        f"export {form}": ("export", "movements", "--format", form, "--out")
        for form in ("csv", "ndjson", "sqlite")
    },
    **{
        f"lifecycle {form}": (
            "lifecycle",
            "show",
            "one_time",
            "--format",
            form,
            "--out",
        )
        for form in ("md", "mermaid", "json", "svg")
    },
    **{
        f"diagram {form}": ("tx", "diagram", "order", "--format", form, "--out")
        for form in ("svg", "mermaid")
    },
}
NEVER = {
    "seal": ("audit", "seal", *KEY, "--out"),
    "key": ("audit", "seal", "--new-key"),
}
BOOKS = {"books": ("emulator", "serve", "--port", 0, "--books")}
OUTPUTS = REPLACEABLE | NEVER | BOOKS

ENDS = ("", "-wal", "-shm", "-journal", "-queue", ".gateway-wal", ".gateway-journal")


@pytest.fixture
def ordered(kessai, tmp_path):
    """A store with an order, open in this process too, and a key."""
    assert kessai("tx", "do", "order", *AN_ORDER).code == 0
    assert kessai("audit", "seal", "--new-key", "seal.key").code == 0
    with closing(SQLiteStore(tmp_path / "kessai.db")) as store:
        yield store


def kept(folder):
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if not path.name.endswith("-shm")  # SQLite notes its readers there
    }


@pytest.mark.parametrize("command", OUTPUTS.values(), ids=OUTPUTS)
def test_no_output_replaces_a_store_or_what_stands_beside_it(
    kessai, ordered, tmp_path, command
):
    forces = ((), ("--force",)) if command in REPLACEABLE.values() else ((),)
    (tmp_path / "link").symlink_to("kessai.db")
    os.link(tmp_path / "kessai.db", tmp_path / "hard")
    with closing(sqlite3.connect(tmp_path / "other")) as other, other:
        other.execute("CREATE TABLE it (number)")
    before = kept(tmp_path)
    places = [f"kessai.db{end}" for end in ENDS] + [
        "link",
        "hard",
        "other",
        "other-wal",
    ]
    for place in places:
        for force in forces:
            refused = kessai(*command, place, *force)
            assert refused.code == 2, place
            assert place in refused.err
            assert "database" in refused.err or "other tables" in refused.err
            assert kept(tmp_path) == before, place


@pytest.mark.parametrize("command", REPLACEABLE.values(), ids=REPLACEABLE)
def test_another_file_is_replaced_only_with_force(kessai, ordered, tmp_path, command):
    path = tmp_path / "file"
    path.write_bytes(b"mine")
    refused = kessai(*command, path)
    assert refused.code == 2
    assert "is there already; --force replaces" in refused.err
    assert path.read_bytes() == b"mine"
    assert kessai(*command, path, "--force").code == 0
    assert path.read_bytes() != b"mine"
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("command", (NEVER | BOOKS).values(), ids=NEVER | BOOKS)
def test_no_seal_no_key_and_no_books_go_over_another_file(
    kessai, ordered, tmp_path, command
):
    path = tmp_path / "file"
    path.write_bytes(b"mine, of more than a few bytes" * 100)
    before = kept(tmp_path)
    assert kessai(*command, path).code == 2
    assert kept(tmp_path) == before


def covered(folder, place):
    (folder / "test_nothing.py").write_text("def test_nothing(): pass")
    pytest_alone = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    return subprocess.run(
        (*pytest_alone, f"--kessai-coverage={place}", "test_nothing.py"),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_coverage_file_replaces_an_earlier_one_and_nothing_else(ordered, tmp_path):
    (tmp_path / "notes.json").write_text("{}")
    before = kept(tmp_path)
    for place in ("kessai.db", "kessai.db-queue", "notes.json"):
        with pytest.raises(pytest.UsageError, match=f"--kessai-coverage: .*{place}"):
            check_former(tmp_path / place)
    assert kept(tmp_path) == before
    for _ in range(2):
        assert covered(tmp_path, "coverage.json").returncode == 0
    assert b"kessai coverage" in (tmp_path / "coverage.json").read_bytes()
    refused = covered(tmp_path, "notes.json")
    assert refused.returncode == 4
    assert "notes.json: is there: " in refused.stderr
    assert (tmp_path / "notes.json").read_text() == "{}"
