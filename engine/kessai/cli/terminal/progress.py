"""A bar on standard error for what takes long, if somebody is looking."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs

from kessai.cli.terminal.columns import console

if TYPE_CHECKING:
    from rich.progress import Progress


@contextmanager
def progress(total: int | None, title: str) -> Iterator["ProgressBar"]:
    """A bar on standard error if that is a terminal, otherwise nothing."""
    if not sys.stderr.isatty():
        yield ProgressBar()
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    shown_on = console(sys.stderr)
    with Progress(*columns, Remaining(), console=shown_on, transient=True) as shown:
        yield ProgressBar(shown, shown.add_task(title, total=total))


@attrs.frozen
class ProgressBar:
    """Shows how much is done, if anybody is looking."""

    _shown: "Progress | None" = None
    _task: Any = None

    def step(self, number: int = 1) -> None:
        """So many more are done."""
        if self._shown is not None:
            self._shown.advance(self._task, number)

    def reach(self, done: int) -> None:
        """So many are done."""
        if self._shown is not None:
            self._shown.update(self._task, completed=done)
