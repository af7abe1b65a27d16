"""What a pure function never does, noticed while an adapter is at work.

Files, connections, processes and threads show in the interpreter's audit events; clocks
and random numbers are C functions, which the profiler's hook sees under whatever name
they were imported. What is noticed is let happen: an error could be swallowed.
"""

import contextlib
import gc
import inspect
import io
import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from types import FrameType, ModuleType
from typing import Any

import attrs

_EVENTS = (
    *("open", "os.", "socket.", "subprocess.", "pty.", "shutil.", "tempfile.", "glob."),
    *("urllib.", "http.", "ftplib.", "smtplib.", "imaplib.", "poplib.", "telnetlib."),
    *("sqlite3.", "dbm.", "syslog.", "signal."),
)
_CALLS = {
    "time": (
        *("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "sleep"),
        *("perf_counter_ns", "process_time", "process_time_ns", "thread_time"),
        *("clock_gettime", "clock_gettime_ns", "localtime", "ctime"),
    ),
    "posix": ("urandom", "getrandom", "getpid"),
    "nt": ("urandom", "getpid"),
    "_uuid": ("generate_time_safe",),
    "_thread": ("start_new_thread", "start_joinable_thread"),
}
_OF_TIME = ("now", "utcnow", "today")
_OF_CHANCE = ("random", "getrandbits", "seed")
_EXEMPT = ("importlib.", "_frozen_importlib", "logging")
"""Loading a module opens its file, and a log record carries the time: both may be."""

_KIT = "kessai.testing.adapter_kit"


@attrs.define
class PurityWatch:
    """What was noticed, in words, each thing once."""

    package: str
    seen: dict[str, None] = attrs.field(factory=dict[str, None])

    def note(self, what: str, frame: FrameType | None) -> None:
        """Keep `what`, and from which line of the adapter it came."""
        while frame is not None and frame.f_globals.get("__name__") == __name__:
            frame = frame.f_back  # from here, not from this module's own hook
        if not _is_exempt(frame):
            self.seen[what + _place(frame, self.package)] = None


_watches: list[PurityWatch] = []
_hooked: list[bool] = []


@contextmanager
def watching(package: str) -> Iterator[PurityWatch]:
    """Notice what is done in this thread until the end of the block."""
    if not _hooked:
        sys.addaudithook(_audit)  # for good: Python takes none back
        _hooked.append(True)
    watch = PurityWatch(package)
    out = io.StringIO()
    collects = gc.isenabled()
    gc.disable()  # others are called back when rubbish is collected, and read clocks
    environ, profiler = os.environ, sys.getprofile()
    setattr(os, "environ", _WatchedEnvironment(environ, watch))  # noqa: B010 - put back below
    _watches.append(watch)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            sys.setprofile(_profiler(watch))
            yield watch
    finally:
        sys.setprofile(profiler)
        _watches.remove(watch)
        if collects:
            gc.enable()
        setattr(os, "environ", environ)  # noqa: B010
    if out.getvalue():
        watch.note("wrote to standard output or standard error", None)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _watches and event.startswith(_EVENTS):
        frame = inspect.currentframe()
        what = repr(arguments[0]) if arguments and event == "open" else ""
        _watches[-1].note(f"{event}({what})", frame)


def _profiler(watch: PurityWatch) -> Any:
    def profile(frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and (what := _impure(called)):
            watch.note(what, frame)

    return profile


def _impure(called: Any) -> str:
    """The name of a C function that is a clock or a source of chance; else empty."""
    name, owner = called.__name__, getattr(called, "__self__", None)
    if isinstance(owner, ModuleType):
        module = owner.__name__
        return f"{module}.{name}()" if name in _CALLS.get(module, ()) else ""
    if isinstance(owner, type):
        is_time = name in _OF_TIME and owner.__module__ == "datetime"
        return f"datetime.{name}()" if is_time else ""
    if name in _OF_CHANCE and type(owner).__module__ in {"random", "_random"}:
        return f"random.{name}()"
    return ""


def _is_exempt(frame: FrameType | None) -> bool:
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith(_EXEMPT):
            return True
        if module.startswith(_KIT):
            break
        frame = frame.f_back
    return False


def _place(frame: FrameType | None, package: str) -> str:
    """The nearest line of the adapter's own package above `frame`."""
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module == package or module.startswith(f"{package}."):
            code = frame.f_code
            return f" in {module}.{code.co_name}, line {frame.f_lineno}"
        frame = frame.f_back
    return ""


class _WatchedEnvironment(MutableMapping[str, str]):
    """The environment, which reports who reads it."""

    def __init__(self, environ: MutableMapping[str, str], watch: PurityWatch) -> None:
        self._environ = environ
        self._watch = watch

    def __getitem__(self, name: str) -> str:
        self._watch.note(f"os.environ[{name!r}]", inspect.currentframe())
        return self._environ[name]

    def __setitem__(self, name: str, value: str) -> None:
        self._environ[name] = value

    def __delitem__(self, name: str) -> None:
        del self._environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


def state_of(adapter: object, package: str) -> Mapping[str, object]:
    """What the adapter and its package's modules keep, as values that compare."""
    kept = {"the adapter": _shape(adapter, 6)}
    for name, module in sorted(sys.modules.items()):
        if name == package or name.startswith(f"{package}."):
            for variable, value in vars(module).items():
                if not variable.startswith("__") and isinstance(value, _PLAIN):
                    kept[f"{name}.{variable}"] = _shape(value, 6)
    return kept


_SCALARS = (str, bytes, int, float, bool, type(None))
_PLAIN = (*_SCALARS, dict, list, set, bytearray, tuple, frozenset)


def _shape(value: object, depth: int) -> object:
    if isinstance(value, _SCALARS):
        return value
    if depth == 0:
        return type(value).__name__
    if isinstance(value, Mapping):
        return [(repr(key), _shape(held, depth - 1)) for key, held in value.items()]
    if isinstance(value, list | tuple):
        return [_shape(held, depth - 1) for held in value]
    if isinstance(value, set | frozenset | bytearray):
        return sorted(map(repr, value))
    # What an object keeps, in slots too, whatever its class has to say about it.
    held = None if callable(value) else object.__getstate__(value)
    return (type(value).__name__, _shape(held, depth - 1))
