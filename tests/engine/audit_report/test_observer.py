"""The pytest plugin: what engines append in a test session is noted, and no more."""

import asyncio
import subprocess
import sys
from types import SimpleNamespace

import pytest
from busy_shop import Clock, opened

from kessai import AsyncEngine, Command, MemoryStore
from kessai.audit.coverage.totals import Coverage, decoded, from_store, read_coverage
from kessai.driver import observe
from kessai.errors import StoreBusy, VersionConflict
from kessai.spec import load_shipped
from kessai.testing.pytest_plugin.observer import CoverageObserver, CoveragePlugin
from kessai_adapters.veritrans4g.local import LocalGateway

CAPTURED = "commit capture payment.authorized -> payment.captured"


@pytest.fixture
def observer():
    observer = CoverageObserver()
    with observe(observer):
        yield observer


def counts(coverage, name="one_time"):
    return coverage.of(load_shipped(name)).counts


def test_what_an_engine_appends_is_what_its_trails_show(observer):
    shop = opened(MemoryStore())
    shop.sells()
    shop.do("refund", "A-1", amount=901)
    shop.agrees()
    shop.do("reauthorize", "R-1-a", agreement="R-1", amount=400)
    trails = from_store(shop.engine.store)
    assert observer.coverage.noted == trails.noted


def test_an_asynchronous_engine_is_noted_too(observer):
    clock = Clock()
    local = LocalGateway(clock=clock)

    async def sell():
        async with AsyncEngine(
            adapters=[local.adapter],
            store=MemoryStore(),
            transport=local.async_transport,
            clock=clock,
        ) as engine:
            await engine.execute(
                Command("authorize", "A-1", key="1", lifecycle="one_time", amount=9)
            )
            await engine.recover_transaction("A-1")
            await engine.execute(Command("capture", "A-1", key="2"))

    asyncio.run(sell())
    assert counts(observer.coverage)[CAPTURED] == 1


def test_the_simulator_is_noted_too(observer):
    from kessai.cli.main import run_command

    assert run_command(["simulate", "--commands", "20"]) == 0
    assert sum(sum(noted.counts.values()) for noted in observer.coverage.noted.values())


class Refusing(MemoryStore):
    """A store that refuses the first change that it is given."""

    error = None

    def append(self, change):
        error, self.error = self.error, None
        if error is not None:
            raise error
        super().append(change)


@pytest.mark.parametrize("error", [VersionConflict("late"), StoreBusy("busy")])
def test_what_no_store_accepted_does_not_count(observer, error):
    shop = opened(Refusing())
    shop.engine.store.error = error
    command = Command("authorize", "A-1", key="1", lifecycle="one_time", amount=9)
    if isinstance(error, StoreBusy):
        with pytest.raises(StoreBusy):
            shop.engine.execute(command)
    shop.engine.execute(command)
    assert counts(observer.coverage)["begin authorize at payment.requested"] == 1


def test_a_refused_opening_counts_for_the_lifecycle_that_refused_it(observer):
    shop = opened(MemoryStore())
    shop.do("authorize", "A#1", lifecycle="one_time", amount=5)  # all refuse such ids
    refused = "denial authorize transaction_id_invalid"
    assert counts(observer.coverage)[refused] == 1
    assert not counts(observer.coverage, "recurring")
    assert not observer.coverage.loose


def test_what_is_done_afterwards_does_not_count():
    observer = CoverageObserver()
    with observe(observer):
        opened(MemoryStore())
    opened(MemoryStore()).sells()
    assert observer.coverage == Coverage()


# ── in a session ────────────────────────────────────────────────────────────────────

TEST = """
import sys
from kessai import Command, Engine, MemoryStore
from kessai_adapters.veritrans4g.local import LocalGateway

def test_a_sale():
    local = LocalGateway()
    with Engine(
        adapters=[local.adapter], store=MemoryStore(), transport=local.transport
    ) as engine:
        engine.execute(
            Command("authorize", "A-1", key="1", lifecycle="one_time", amount=9)
        )

def test_whether_it_is_watched():
    print("watched:", "kessai.testing.pytest_plugin.observer" in sys.modules)
"""


def session(folder, *arguments):
    (folder / "test_shop.py").write_text(TEST)
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-s",
            "-p",
            "no:cacheprovider",
            *arguments,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_session_writes_the_file_that_it_was_asked_for(tmp_path):
    done = session(tmp_path, "--kessai-coverage=found.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kessai coverage:" in done.stdout
    found = counts(read_coverage(tmp_path / "found.json"))
    assert found["begin authorize at payment.requested"] == 1
    assert [path.name for path in tmp_path.glob("found*")] == ["found.json"]


def test_a_session_that_was_not_asked_watches_nothing(tmp_path):
    done = session(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "watched: False" in done.stdout


def test_a_folder_that_is_not_there_is_shown_before_the_tests_run(tmp_path):
    done = session(tmp_path, "--kessai-coverage=nowhere/found.json")
    assert done.returncode == 4
    assert "there is no such folder" in done.stderr
    assert "Traceback" not in done.stderr


def configured(folder, **more):
    return SimpleNamespace(invocation_params=SimpleNamespace(dir=folder), **more)


def test_the_workers_of_a_session_are_merged(tmp_path):
    outputs = []
    for transaction in ("A-1", "A-2"):
        config = configured(tmp_path, workeroutput={})
        worker = CoveragePlugin(config, "found.json")
        opened(MemoryStore()).sells(transaction)
        worker.pytest_sessionfinish()
        worker.pytest_unconfigure()
        outputs.append(config.workeroutput)
    assert not (tmp_path / "found.json").exists()
    whole = CoveragePlugin(configured(tmp_path), "found.json")
    for output in outputs:
        whole.pytest_testnodedown(SimpleNamespace(workeroutput=output))
    whole.pytest_testnodedown(SimpleNamespace())  # one that broke down
    whole.pytest_sessionfinish()
    whole.pytest_unconfigure()
    found = decoded((tmp_path / "found.json").read_bytes())
    assert counts(found)[CAPTURED] == 2
