"""Standard output and error, which may end before a command does.

A disk is full, a stream is closed, a reader has left (`| head -1`). Money may have moved
by then, and there may be more to do: so the command goes on to its end, and what can no
longer be written is dropped. That a reader left is no failure; the rest is said, once.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import IO, Any, cast


class StreamState:
    """Whether a stream still takes anything, and the failure that ended it, if one did."""

    def __init__(self, on_failure: Callable[[OSError], object] | None = None) -> None:
        self.on_failure = on_failure
        self.is_over = False
        self.failure: OSError | None = None

    def attempt(self, act: Callable[..., object], *arguments: object) -> None:
        """Do what may fail; nothing, once it has."""
        if self.is_over:
            return
        try:
            act(*arguments)
        except BrokenPipeError:  # its reader has all it wanted
            self.is_over = True
        except OSError as error:
            self.is_over, self.failure = True, error
            if self.on_failure is not None:
                self.on_failure(error)


class GuardedStream:
    """A stream that raises nothing: after a failure it takes whatever comes, unseen."""

    def __init__(self, stream: IO[Any], state: StreamState) -> None:
        self._stream = stream
        self.state = state

    def write(self, data: Any) -> int:
        """Write `data` if that is possible; as if all of it was written."""
        self.state.attempt(self._stream.write, data)
        return len(data)

    def flush(self) -> None:
        """Flush if that is possible."""
        self.state.attempt(self._stream.flush)

    @property
    def buffer(self) -> "GuardedStream":
        """The bytes below the text, guarded together with it."""
        below = cast("Any", self._stream).buffer
        return GuardedStream(below, self.state)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def guarded_streams(on_failure: Callable[[OSError], object]) -> Iterator[StreamState]:
    """Guard both streams; yields the state of standard output.

    A stream that is over stays guarded, as Python flushes it once more at its end.
    """
    before = sys.stdout, sys.stderr
    out = GuardedStream(_shown_by(before[0]), StreamState(on_failure))
    err = GuardedStream(_shown_by(before[1]), StreamState())  # there is nobody to tell
    sys.stdout, sys.stderr = cast("Any", out), cast("Any", err)
    try:
        yield out.state
        out.flush()
        err.flush()
    finally:
        sys.stdout = sys.stdout if out.state.is_over else before[0]
        sys.stderr = sys.stderr if err.state.is_over else before[1]


def output_failed() -> bool:
    """Whether something that was to stand on standard output could not be written."""
    out: Any = sys.stdout
    out.flush()
    return isinstance(out, GuardedStream) and out.state.failure is not None


def output_is_over() -> bool:
    """Whether standard output takes no more: it failed, or its reader has left."""
    out: Any = sys.stdout
    out.flush()
    return isinstance(out, GuardedStream) and out.state.is_over


def _shown_by(stream: Any) -> IO[Any]:
    """`stream`, with what it cannot show replaced; for a closed one, one that fails."""
    if stream is None:  # so does Python stand for a closed descriptor
        return open(os.devnull, "w", encoding="utf-8", opener=_unwritable)
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="replace")
    return cast("IO[Any]", stream)


def _unwritable(path: str, _flags: int) -> int:
    return os.open(path, os.O_RDONLY)
