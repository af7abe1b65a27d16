"""The disk fails at any write or sync: no second effect, and no error that misleads."""

import json
import re
import sqlite3
from contextlib import closing

import attrs
import io_errors
import pytest
from breakage.aftermath import Aftermath, as_it_should_be
from breakage.hosts import Host, Job, Straced
from breakage.idle import CALLS
from breakage.story import story

from kessai.errors import CommitUnknown

pytestmark = pytest.mark.usefixtures("strace")

AMOUNT = 700


@pytest.fixture(scope="module")
def approved():
    """One opening command, approved and notified."""
    whole = story(1)
    return attrs.evolve(whole, steps=whole.steps[:3], drives="sync")


@pytest.fixture
def expected(approved, folder):
    return as_it_should_be(approved, folder / "sure.db")


def records_in(path):
    with closing(sqlite3.connect(path)) as raw:
        return raw.execute("SELECT count(*) FROM kessai_events").fetchone()[0]


def judge(path, approved, run, expected):
    Aftermath(path, approved, run.gateway, run.under_way).judge(expected)


@pytest.fixture(scope="module")
def intent_sync(approved, tmp_path_factory):
    """Which sync of a worker is that of the first intent's commit."""
    folder = tmp_path_factory.mktemp("syncs")
    with Straced("--seccomp-bpf") as straced:
        for number in range(1, 30):
            path = str(folder / f"{number}.db")
            job = Job(path=path, story=approved, attempts=1, close=False)
            run = straced.run(job, ("fdatasync", "error=EIO", number, True))
            if any(isinstance(e, CommitUnknown) for *_, e in run.reports["failed"]):
                return number
    pytest.fail("no commit of an intent failed at its sync")


@pytest.mark.slow
def test_errors_at_writes_and_syncs_leave_the_books_in_agreement(capsys):
    assert io_errors.main(["--errors", "18", "--seed", "300"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["done"] == 32
    assert figures["errors_raised"].keys() >= {"nothing", "StoreFailed"}


def test_a_commit_that_failed_at_its_sync_is_there_when_the_file_is_opened_again(
    approved, folder, expected, intent_sync
):
    path = str(folder / "store.db")
    with Straced("--seccomp-bpf") as straced:
        job = Job(path=path, story=approved, attempts=1, close=False)
        run = straced.run(job, ("fdatasync", "error=EIO", intent_sync, True))
    ((_, _, error),) = run.reports["failed"]
    assert isinstance(error, CommitUnknown)
    assert run.reports["seen"] == {}  # the process itself never sees it
    assert records_in(path) == 1  # who opens the file after it does
    assert len(run.gateway.emulator.books) == 0
    judge(path, approved, run, expected)


def test_a_sync_that_fails_once_is_made_good_before_anything_is_sent(
    approved, folder, expected, intent_sync
):
    path = str(folder / "store.db")
    with Straced("--seccomp-bpf") as straced:
        job = Job(path=path, story=approved)
        run = straced.run(job, ("fdatasync", "error=EIO", intent_sync, False))
    assert run.reports["failed"] == []
    judge(path, approved, run, expected)


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_a_second_try_that_cannot_be_written_does_not_undo_the_first(
    approved, folder, expected, intent_sync, error
):
    """A dying disk: the sync fails, and then every write. The first try may be there."""
    path = str(folder / "store.db")
    with Straced("--seccomp-bpf") as straced:
        job = Job(path=path, story=approved, attempts=1, close=False)
        writes = writes_before(approved, folder, intent_sync)
        run = straced.run(
            job,
            ("fdatasync", f"error={error}", intent_sync, False),
            ("pwrite64", f"error={error}", writes + 1, True),
        )
    ((_, _, raised),) = run.reports["failed"]
    assert isinstance(raised, CommitUnknown)
    assert records_in(path) == 1
    assert len(run.gateway.emulator.books) == 0
    judge(path, approved, run, expected)


def writes_before(approved, folder, sync):
    from breakage.hosts import calls_of

    (calls,) = calls_of([approved], folder)
    syncs = [place for place, call in enumerate(calls) if call == "fdatasync"]
    return calls[: syncs[sync - 1]].count("pwrite64")


def test_the_folder_is_synced_before_a_new_log_holds_its_first_change(approved, folder):
    """Else the log's name could be gone, with all that was acknowledged in it."""
    log = folder / "calls"
    path = folder / "store.db"
    shown = f"trace=openat,{','.join(CALLS)}"
    with Host(["-y", "-o", str(log), "-e", shown]) as host:
        host.run(Job(path=str(path), story=approved))
    lines = log.read_text().splitlines()
    made = index(lines, rf'openat\(.*"{path}-wal", \S*O_CREAT')
    first_frame = index(lines, rf"pwrite64\(\d+<{path}-wal>.*, 24, 32\)")
    synced = index(lines, rf"f(data)?sync\(\d+<{folder}>\)", after=made)
    assert made < synced < first_frame


def index(lines, pattern, *, after=0):
    found = [n for n, line in enumerate(lines) if re.search(pattern, line)]
    return next(n for n in found if n >= after)
