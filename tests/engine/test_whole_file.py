"""A file is written whole or not at all, and never over a database."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from kessai import SQLiteStore
from kessai.cli.terminal.output import put, writing
from kessai.errors import InvalidInput
from kessai.whole_file import check_place, draft, keep


def write(path, **how):
    with draft(path) as file:
        file.write(b"new")
        keep(file, path, **how)


def test_a_file_is_there_whole_or_not_at_all_wherever_it_is_interrupted(tmp_path):
    """An interrupt strikes before each line that `keep` executes, one after the other."""
    for line in range(100):
        path = tmp_path / f"{line}"
        left = [line]

        def strike(_frame, event, _argument, left=left):
            left[0] -= event == "line"
            if left[0] < 0:
                sys.settrace(None)
                raise KeyboardInterrupt
            return strike

        def trace(frame, event, argument, strike=strike):
            is_ours = frame.f_code.co_name in {"keep", "_name"}
            return strike(frame, event, argument) if is_ours else None

        sys.settrace(trace)
        try:
            write(path)
        except KeyboardInterrupt:
            assert not path.exists() or path.read_bytes() == b"new"
        else:
            break
        finally:
            sys.settrace(None)
        assert not list(tmp_path.glob(".*"))
    assert 5 < line < 99


@pytest.mark.parametrize("broken_off", [KeyboardInterrupt, OSError(28, "no room")])
def test_what_breaks_off_the_writing_leaves_the_former_file(tmp_path, broken_off):
    path = tmp_path / "report"
    path.write_bytes(b"former")

    def fail():
        with writing(path, force=True) as file:
            file.write(b"half")
            raise broken_off

    with pytest.raises((KeyboardInterrupt, InvalidInput)):
        fail()
    assert path.read_bytes() == b"former"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_replaced_only_where_that_is_asked_for(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"former")
    with pytest.raises(FileExistsError):
        write(path)
    assert path.read_bytes() == b"former"
    write(path, replace=True)
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_under_the_same_number_is_no_obstacle(tmp_path):
    with draft(tmp_path / "file") as file:
        left = Path(file.name)
    left.write_bytes(b"left")
    write(tmp_path / "file")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_device_is_written_as_it_is():
    put(b"anything", Path("/dev/null"))
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize("end", ["", "-wal", "-shm", "-queue", "-journal", ".gateway"])
def test_no_output_replaces_a_store_or_what_stands_beside_it(tmp_path, end):
    with closing(SQLiteStore(tmp_path / "shop.db")):
        place = tmp_path / f"shop.db{end}"
        before = place.read_bytes() if place.exists() else None
        with pytest.raises(InvalidInput, match="belongs to a database"):
            put(b"report", place)
        assert (place.read_bytes() if place.exists() else None) == before


def test_another_programs_database_is_not_replaced_either(tmp_path):
    with closing(sqlite3.connect(tmp_path / "other")) as other:
        other.execute("CREATE TABLE it (number)")
    with pytest.raises(InvalidInput, match="belongs to a database"):
        put(b"report", tmp_path / "other")


def test_files_with_such_names_and_no_database_are_ordinary(tmp_path):
    put(b"text", tmp_path / "report-wal")
    (tmp_path / "report").write_bytes(b"SQLite, a report")
    for name in ("report-wal", "-wal"):
        check_place(tmp_path / name, replace=True)


def locks(path):
    """The locks that this machine's processes hold on a file."""
    number = f":{path.stat().st_ino} "
    return Path("/proc/locks").read_text().count(number)


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="Linux shows its locks")
def test_to_look_at_a_database_gives_up_none_of_the_locks_on_it(tmp_path):
    """Any close of the file would, and another process could take it for unused."""
    path = tmp_path / "shop.db"
    with closing(SQLiteStore(path)):
        held = locks(path)
        for end in ("", "-wal", ".gateway"):
            with pytest.raises(FileExistsError):
                check_place(path.with_name(path.name + end), replace=True)
        assert held == locks(path) > 0
