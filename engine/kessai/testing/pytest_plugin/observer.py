"""Observing engines at work: each event that a store has accepted is counted."""

from contextlib import ExitStack
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from kessai.audit.coverage.totals import Coverage, decoded
from kessai.driver import Observer, observe
from kessai.machine.chain import AppliedEvent

WORKER_OUTPUT = "kessai_coverage"


class CoverageObserver(Observer):
    """Counts what the engines that it observes append."""

    def __init__(self) -> None:
        self.coverage = Coverage()
        self._lock = Lock()

    def appended(self, step: AppliedEvent) -> None:
        """Count what the event exercised."""
        with self._lock:
            self.coverage.note(step)


class CoveragePlugin:
    """The plugin of one session: observes, merges its workers, writes the file."""

    def __init__(self, config: pytest.Config, path: str) -> None:
        self._config = config
        self._path = Path(config.invocation_params.dir, path)
        if not self._path.parent.is_dir():
            message = f"--kessai-coverage: {self._path.parent} is no folder"
            raise pytest.UsageError(message)
        self._observer = CoverageObserver()
        self._observing = ExitStack()
        self._observing.enter_context(observe(self._observer))

    def pytest_unconfigure(self) -> None:
        """Observe no more."""
        self._observing.close()

    def pytest_sessionfinish(self) -> None:
        """Write the file; a worker hands what it has to the process that started it."""
        encoded = self._observer.coverage.encoded()
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[WORKER_OUTPUT] = encoded.decode()
            return
        beside = self._path.with_name(f"{self._path.name}.new")
        beside.write_bytes(encoded)
        beside.replace(self._path)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Merge what a worker of pytest-xdist has counted."""
        encoded = getattr(node, "workeroutput", {}).get(WORKER_OUTPUT)
        if encoded is not None:
            self._observer.coverage.merge(decoded(encoded.encode()))

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Show where the file is."""
        terminalreporter.write_line(f"kessai coverage: {self._path}")
