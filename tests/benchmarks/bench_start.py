"""What a command of the command line costs before it does anything, beside `pass`.

    uv run pytest tests/benchmarks/bench_start.py

Each round starts every program once, one after the other. A ratio is of two medians of CPU
time, as others may be at work on the machine. Bytecode is there, as it is after the first
run of an installed program.
"""

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import pytest

ROUNDS = 15
SALE = (*("--lifecycle", "one_time", "--amount", "1000"), "--db", "shop.db")
LIST = ("-m", "kessai", "tx", "list", "--db", "shop.db")
PROGRAMS = {
    "pass": ("-c", "pass"),
    "import kessai": ("-c", "import kessai"),
    "kessai --help": ("-m", "kessai", "--help"),
    "kessai tx list --json": (*LIST, "--json"),
    "kessai tx list": LIST,
    # What none of kessai's own code can save: the libraries that a list is made with.
    "import click, attrs, msgspec": ("-c", "import click, attrs, msgspec"),
    "the same, rich too": (
        "-c",
        "import click, attrs, msgspec, rich.console, rich.table, rich.text",
    ),
}
FIGURES: list[str] = []


@pytest.fixture(scope="module", autouse=True)
def _tell() -> Iterator[None]:
    yield
    print("\n\nstart, beside `python -c pass`:")  # noqa: T201 - its purpose
    for line in FIGURES:
        print(f"  {line}")  # noqa: T201 - its purpose


def test_start(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path / "bytecode")}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)

    def seconds(arguments: tuple[str, ...]) -> float:
        before = getrusage(RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        after = getrusage(RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    for order in ("a", "b", "c"):
        seconds(("-m", "kessai", "tx", "do", *SALE, order, "authorize"))
    for arguments in PROGRAMS.values():
        seconds(arguments)
    taken: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(ROUNDS):
        for name, arguments in PROGRAMS.items():
            taken[name].append(seconds(arguments))
    bare = statistics.median(taken["pass"])
    for name, found in taken.items():
        median = statistics.median(found)
        FIGURES.append(f"{name:30} {median / bare:5.1f} x  {1000 * median:5.0f} ms")
