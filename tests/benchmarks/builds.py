"""Another build's speed beside this one's, in CPU time, round by round in one run.

    git worktree add ../before COMMIT && (cd ../before && uv sync)
    uv run python tests/benchmarks/builds.py ../before

Each build works in a process of its own, with its own packages and its own
`bench_speed.py`; both take turns. Printed is the median of the rounds' ratios, this
build's time by the other's, and between which two the middle half of them lies.
"""

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from time import process_time

ROOT = Path(__file__).parents[2]
TIMES = {
    "command in memory": 300,
    "command on SQLite": 60,
    "audit verify": 1,
    "run in memory": 1,
    "run on SQLite": 1,
}


def main() -> None:
    """Compare the two builds, one kind of work after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path, help="a checkout with its environment")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--only", choices=TIMES, action="append")
    asked = parser.parse_args()
    for work in asked.only or TIMES:
        ratios = sorted(_ratios(asked.other.absolute(), work, asked.rounds))
        low, middle, high = statistics.quantiles(ratios, n=4)
        print(f"{work}: {middle:.3f} ({low:.3f}-{high:.3f})")  # noqa: T201 - its purpose


def _ratios(other: Path, work: str, rounds: int) -> Iterator[float]:
    with _worker(ROOT, work) as ours, _worker(other, work) as theirs:
        for _ in range(rounds):
            yield ours() / theirs()


@contextmanager
def _worker(build: Path, work: str) -> Iterator[Callable[[], float]]:
    """A process that does `work` of `build` each time it is asked: CPU seconds."""
    python = build / ".venv" / "bin" / "python"
    asked = [python, __file__, "--work", work, build]
    # Hashes order sets: with one seed for both, luck is the same.
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore"}
    with subprocess.Popen(
        asked,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
        env=environment,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def ask() -> float:
            process.stdin.write("\n")
            return float(process.stdout.readline())

        ask()  # the first round warms up
        yield ask
        process.stdin.close()


def _work(work: str, build: Path) -> None:
    """Be a worker: a round for each line that is read."""
    sys.path[:0] = [str(build / "tests" / "benchmarks")]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        do = _prepared(work, folder, build)
        for _ in sys.stdin:
            begin = process_time()
            for _ in itertools.repeat(None, TIMES[work]):
                do()
            print(process_time() - begin, flush=True)  # noqa: T201 - to its parent


def _prepared(work: str, folder: Path, build: Path) -> Callable[[], object]:
    import bench_speed

    from kessai import MemoryStore, SQLiteStore

    orders = str(build / "tests" / "data" / "orders-1000.jsonl")
    if work == "run in memory":
        return lambda: _run(orders, "memory:")
    if work == "run on SQLite":
        files = map("{}/{}.db".format, itertools.repeat(folder), itertools.count())
        return lambda: _run(orders, next(files))
    if work == "command in memory":
        return bench_speed.refunds(MemoryStore())
    store = SQLiteStore(folder / "store.db")
    if work == "command on SQLite":
        return bench_speed.refunds(store)
    from kessai.audit import verify

    store.close()
    filled = folder / "orders.db"
    _run(orders, str(filled))
    verified = SQLiteStore(filled)
    return lambda: verify(verified)


def _run(orders: str, store: str) -> None:
    from kessai.cli.main import run_command

    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        run_command(["run", orders, "--db", store])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        _work(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
