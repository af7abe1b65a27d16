"""What holds for all tests."""

import json
import os
import sys
from pathlib import Path

import attrs
import pytest
from hypothesis import HealthCheck, settings

sys.path.append(str(Path(__file__).with_name("engine") / "stores/postgres"))  # pg
os.environ.pop("COLUMNS", None)  # what is printed is as wide for everybody

if sys.dont_write_bytecode:  # else each Python that a test starts compiles all anew
    bytecode = Path(__file__).parents[1] / ".pytest_cache" / "bytecode"
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = str(bytecode)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False

IN_CI = os.environ.get("CI", "") not in {"", "0", "false"}

if not IN_CI:  # there Hypothesis chooses a fixed seed and no deadline by itself
    slow = [HealthCheck.too_slow]  # a busy machine is no failure
    settings.register_profile("patient", deadline=None, suppress_health_check=slow)
    settings.load_profile("patient")


TESTS = Path(__file__).parent
LONG = {
    *("crash", "properties", "races", "shops", "simulation", "third_party"),
    *(
        f"testing/test_{name}.py"
        for name in (
            *("histories", "order_system", "registration", "strategies"),
            "transport_kit",
        )
    ),
    *(f"adapters/{name}/test_conformance.py" for name in ("payjp", "stripe")),
    *(f"testing_adapters/test_{name}.py" for name in ("plugin", "planted_mistakes")),
    *(
        f"engine/prove/test_prove_{name}.py"
        for name in ("accounting", "command", "mistakes", "reversals", "shipped")
    ),
    *(
        f"engine/audit/test_{name}.py"
        for name in ("alterations", "archiving", "audit_rewritten")
    ),
    *(f"engine/cli/test_{name}.py" for name in ("emulator", "run_broken_off")),
    *(
        f"engine/stores/test_{name}.py"
        for name in ("forks", "processes", "sqlite_queue")
    ),
    *(
        f"engine/stores/postgres/test_{name}.py"
        for name in ("place", "races", "standby")
    ),
    *("engine/audit_report/test_observer.py", "specs/test_protocol.py"),
}
"""Folders and files of which every test is slow: they take most of the time."""


@attrs.frozen
class Result:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def kessai(capsys, tmp_path, monkeypatch):
    """Run one command in an empty folder; its exit code and what it printed."""
    from kessai.cli.main import run_command

    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        capsys.readouterr()
        code = run_command([str(argument) for argument in arguments])
        return Result(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def server():
    """One PostgreSQL for all tests that need it."""
    from pg.server import NoServer, running

    try:
        with running() as found:
            yield found
    except NoServer as error:
        pytest.skip(str(error))


@pytest.hookimpl(tryfirst=True)  # before the slow ones are left out
def pytest_collection_modifyitems(items):
    """SQLite's own warning of its WAL-reset bug says nothing of a test."""
    ignore = pytest.mark.filterwarnings("ignore::kessai.StoreWarning")
    for item in items:
        item.add_marker(ignore)
        if is_long(item.path):
            item.add_marker(pytest.mark.slow)


def pytest_ignore_collect(collection_path, config):
    """What is slow as a whole is not even imported where slow tests are left out."""
    leaves_out = config.option.markexpr == "not slow"
    return True if leaves_out and is_long(collection_path) else None


def is_long(path):
    """Whether all tests of this file are slow."""
    if not path.is_relative_to(TESTS):
        return False
    place = path.relative_to(TESTS)
    return not LONG.isdisjoint({place.as_posix(), place.parts[0]})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A part that is missing skips a test on a user's machine, and fails it in CI."""
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report
