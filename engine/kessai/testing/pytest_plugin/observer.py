"""Observing engines at work: each event that a store has accepted is counted."""

from contextlib import ExitStack
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from kessai.audit.coverage.totals import Coverage, decoded
from kessai.driver import Observer, observe
from kessai.errors import InvalidInput
from kessai.machine.chain import AppliedEvent
from kessai.whole_file import check_place, draft, keep

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


def check_former(path: Path) -> None:
    """See that at most an earlier session's file is written over.

    Raises:
        pytest.UsageError: another file is there.

    """
    try:
        check_place(path.resolve(), replace=True)
        if path.exists():
            decoded(path.read_bytes())
    except (OSError, InvalidInput) as error:
        what = error.strerror if isinstance(error, OSError) else f"is there: {error}"
        message = f"--kessai-coverage: {path}: {what}"
        raise pytest.UsageError(message) from None


class CoveragePlugin:
    """The plugin of one session: observes, merges its workers, writes the file."""

    def __init__(self, config: pytest.Config, path: str) -> None:
        self._config = config
        self._path = Path(config.invocation_params.dir, path)
        check_former(self._path)
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
        with draft(self._path) as file:
            file.write(encoded)
            keep(file, self._path, replace=True)

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
