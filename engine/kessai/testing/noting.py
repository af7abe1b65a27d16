"""Watching engines at work: each event that a store has accepted is counted.

Every record is made by `append` and written through `ask_store`, whichever driver asks:
these two are the whole way in. A denial before a transaction exists is bound to no
lifecycle file; `decide` tells whose it is.
"""

import sys
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from kessai.audit.coverage import Coverage, decoded
from kessai.audit.replay import Step
from kessai.flow import Append, Change
from kessai.machine import (
    Denial,
    Denied,
    Event,
    Machine,
    Record,
    Transaction,
    append,
    decide,
)
from kessai.shell import ask_store

MOST = 10_000
"""How many records that no store has accepted yet are remembered."""

WORKER_OUTPUT = "kessai_coverage"


class Watcher:
    """Counts what the engines of this process append, from `start` to `stop`."""

    def __init__(self) -> None:
        self.coverage = Coverage()
        self._lock = Lock()
        self._made: OrderedDict[str, Step] = OrderedDict()
        self._refused: OrderedDict[int, tuple[Any, Machine]] = OrderedDict()
        self._put: list[tuple[Any, Any]] = []

    def start(self) -> None:
        """Stand in the place of the three functions, wherever they were imported to."""
        self._stand_in(append, self._append)
        self._stand_in(decide, self._decide)
        self._stand_in(ask_store, self._ask_store)

    def stop(self) -> None:
        """Leave everything as it was."""
        while self._put:
            original, stand_in = self._put.pop()
            _replace(stand_in, original)

    def _stand_in(
        self, original: Callable[..., Any], make: Callable[..., Callable[..., Any]]
    ) -> None:
        stand_in = make(original)
        _replace(original, stand_in)
        self._put.append((original, stand_in))

    def _append(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def noting_append(
            machine: Machine | None, transaction: Transaction, event: Event
        ) -> tuple[Transaction, Record]:
            after, record = original(machine, transaction, event)
            step = Step(record.number, event, machine, transaction, after)
            with self._lock:
                _keep(self._made, record.hash, step)
            return after, record

        return noting_append

    def _decide(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def noting_decide(machine: Machine, *others: Any) -> Any:
            verdict = original(machine, *others)
            if isinstance(verdict, Denial):
                with self._lock:  # kept, so that no other tuple gets its address
                    found = (verdict.reasons, machine)
                    _keep(self._refused, id(verdict.reasons), found)
            return verdict

        return noting_decide

    def _ask_store(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def noting_ask_store(store: Any, effect: Any) -> Any:
            result = original(store, effect)
            if not isinstance(effect, Append):
                return result
            if isawaitable(result):
                return self._when_written(result, effect.change)
            self._written(effect.change)
            return result

        return noting_ask_store

    async def _when_written(self, written: Awaitable[Any], change: Change) -> Any:
        result = await written
        self._written(change)
        return result

    def _written(self, change: Change) -> None:
        with self._lock:
            for record in change.records:
                step = self._made.pop(record.hash, None)
                if step is not None:
                    self._count(step)

    def _count(self, step: Step) -> None:
        event = step.event
        if isinstance(event, Denied):
            _, machine = self._refused.get(id(event.reasons), (None, None))
            if machine is not None:
                self.coverage.note_denial(machine, step.before, event)
                return
        self.coverage.note(step)


class Noting:
    """The plugin of one session: watches, merges its workers, writes the file."""

    def __init__(self, config: pytest.Config, path: str) -> None:
        self._config = config
        self._path = Path(config.invocation_params.dir, path)
        if not self._path.parent.is_dir():
            message = f"--kessai-coverage: {self._path.parent} is no folder"
            raise pytest.UsageError(message)
        self._watcher = Watcher()
        self._watcher.start()

    def pytest_unconfigure(self) -> None:
        """Watch no more."""
        self._watcher.stop()

    def pytest_sessionfinish(self) -> None:
        """Write the file; a worker hands what it has to the process that began it."""
        encoded = self._watcher.coverage.encoded()
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
            self._watcher.coverage.merge(decoded(encoded.encode()))

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Say where it is."""
        terminalreporter.write_line(f"kessai coverage: {self._path}")


def _replace(found: object, stand_in: object) -> None:
    """Put `stand_in` wherever a module of kessai holds `found` under its name."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "kessai":
            held = [key for key, value in vars(module).items() if value is found]
            for key in held:
                setattr(module, key, stand_in)


def _keep(kept: "OrderedDict[Any, Any]", key: Any, value: Any) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > MOST:
        kept.popitem(last=False)
