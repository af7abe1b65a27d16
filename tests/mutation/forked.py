"""One clean pass over the tests, then a fork for each mutant: all is imported once.

The clean pass notes which test reaches which function, and stops if a test fails. A
mutant is then tested by those alone that reach it, quick ones first, until one fails.
Started by `run.py`, in the folder of the mutated copy.
"""

import gc
import os
import resource
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest
from mutmut.mutation import trampoline
from mutmut.utils.format_utils import mangled_name_from_mutant_name

SECONDS = 20
"""Processor time that a mutant may take besides ten times what its tests take without
it; then it hangs, which counts as noticed."""


class Forked:
    """Runs the collected tests for each of `names`, and writes down what came of it."""

    def __init__(self, names: list[str], out: Path, processes: int) -> None:
        self._names, self._out, self._processes = names, out, processes
        self._reach = defaultdict(set)
        self._seconds = {}
        self._running = {}
        self._failed = None

    def pytest_runtest_logreport(self, report) -> None:
        """Remember the last failure."""
        if report.failed:
            self._failed = report

    def pytest_runtestloop(self, session) -> bool:
        """Take the place of pytest's own loop."""
        if not self._clean_pass(session.items):
            return True
        session.config.option.tbstyle = "no"
        gc.collect()
        gc.freeze()  # else every fork copies what it only counts
        for name in self._names:
            tests = self._tests_of(name)
            while len(self._running) >= self._processes:
                self._wait()
            self._running[self._fork(name, tests)] = name
        while self._running:
            self._wait()
        return True

    def _clean_pass(self, items) -> bool:
        reached = set()
        trampoline.record_trampoline_hit = lambda name, caller=None: reached.add(name)
        os.environ["MUTANT_UNDER_TEST"] = "stats"
        for item in items:
            reached.clear()
            began = time.process_time()
            if self._fails(item):
                print(f"\nfails without any mutant: {item.nodeid}")  # noqa: T201
                print(self._failed.longreprtext)  # noqa: T201
                return False
            self._seconds[item] = time.process_time() - began
            for name in reached:
                self._reach[name].add(item)
        print(f"clean: {len(items):,} tests", flush=True)  # noqa: T201
        return True

    def _tests_of(self, name: str) -> list:
        tests = self._reach[mangled_name_from_mutant_name(name)]
        return sorted(tests, key=self._seconds.__getitem__)

    def _fork(self, name: str, tests: list) -> int:
        child = os.fork()
        if child:
            return child
        limit = SECONDS + int(10 * sum(self._seconds[test] for test in tests))
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        os.environ["MUTANT_UNDER_TEST"] = name
        try:
            os._exit(any(map(self._fails, tests)))
        except BaseException:  # noqa: BLE001 - whatever it is, it was noticed
            os._exit(1)

    def _fails(self, item) -> bool:
        self._failed = None
        item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
        return self._failed is not None

    def _wait(self) -> None:
        child, status = os.wait()
        name = self._running.pop(child)
        with self._out.open("a") as out:
            out.write(f"{name} {'noticed' if status else 'survived'}\n")


def main() -> int:
    """Run the tests of the command line for the mutants of a file."""
    names, out, processes, *tests = sys.argv[1:]
    sys.path.insert(0, "src")
    sys.setrecursionlimit(3_000)  # every call is three calls here
    plugin = Forked(Path(names).read_text().split(), Path(out), int(processes))
    options = ["-q", "-s", "-p", "no:cacheprovider", "--rootdir=."]
    return pytest.main([*options, *tests], plugins=[plugin])


if __name__ == "__main__":
    sys.exit(main())
