"""An adapter asked in other processes, whose hash seed, time zone and folder differ.

What depends on the order of a set, on the machine's zone or on where a process was
started shows only there.
"""

import importlib
import importlib.util
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from kessai.gateway import Call, Reply
from kessai.gateway_exchange import lift
from kessai.testing.adapter_kit.forms import as_functions, run

_PATIENCE_SECONDS = 60
_WORLDS: tuple[Mapping[str, str], ...] = (
    {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"},
    {"PYTHONHASHSEED": "4711", "TZ": "America/New_York", "LC_ALL": "C"},
)


@attrs.frozen
class CrossProcessJob:
    """What to ask, and how the adapter is made there. The credentials are made up."""

    module: str
    file: str | None
    kind: str
    environment: Mapping[str, str] = attrs.field(repr=False)
    requests: Sequence[tuple[str, Call]]
    replies: Sequence[tuple[str, Call, Reply]]
    exchanges: Sequence[tuple[str, Call, Sequence[Reply]]]
    notifications: Sequence[tuple[str, Mapping[str, str], bytes]]


class NoAnswerError(Exception):
    """The other process ended without an answer; the text is its last line."""


def asked_cross_process(job: CrossProcessJob) -> list[dict[str, str]]:
    """The adapter's answer to each thing asked, by its name, one dict a process.

    Raises:
        NoAnswerError: a process could not make the adapter, or took a minute.

    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "job").write_bytes(pickle.dumps(job))
        # One after the other would take twice as long.
        begun = [_begin(path, number) for number in range(len(_WORLDS))]
        return [_end(path, number, process) for number, process in enumerate(begun)]


def _begin(folder: Path, number: int) -> "subprocess.Popen[str]":
    place = folder / f"place-{number}"
    place.mkdir()
    search = [str(Path(entry).absolute()) for entry in sys.path if entry]
    return subprocess.Popen(  # noqa: S603 - this very program
        [
            sys.executable,
            "-m",
            __name__,
            str(folder / "job"),
            str(folder / f"{number}"),
        ],
        cwd=place,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(search), **_WORLDS[number]},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
    )


def _end(folder: Path, number: int, process: "subprocess.Popen[str]") -> dict[str, str]:
    try:
        _, output = process.communicate(timeout=_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        message = "it took longer than a minute"
        raise NoAnswerError(message) from None
    if process.returncode:
        raise NoAnswerError(output.strip().rpartition("\n")[2])
    answers: dict[str, str] = pickle.loads((folder / f"{number}").read_bytes())  # noqa: S301 - written by this very program
    return answers


def answers_of(adapter: Any, job: CrossProcessJob) -> dict[str, str]:
    """The answers of `adapter` to each thing asked, as text."""
    answers: dict[str, str] = {}
    functions = as_functions(adapter)
    for name, call in job.requests:
        request = functions.request(call)
        parts = (request.method, request.url, request.headers, request.body)
        answers[f"request {name}"] = repr(parts)
    for name, call, reply in job.replies:
        evidence = functions.evidence(call, reply)
        answers[f"reply {name}"] = repr((evidence, evidence.disclosed))
    for name, call, replies in job.exchanges:
        done = run(lift(adapter).exchange(call), replies)
        sent = [(one.url, one.headers, one.body) for one in done.requests]
        answers[f"exchange {name}"] = repr((sent, done.said))
    for name, headers, body in job.notifications:
        answers[f"notification {name}"] = repr(functions.notification(headers, body))
    return answers


def _made(job: CrossProcessJob) -> Any:
    try:
        module = importlib.import_module(job.module)
    except ModuleNotFoundError:
        # A test module may be importable by its file alone.
        spec = importlib.util.spec_from_file_location(job.module, job.file or "")
        if spec is None or spec.loader is None:
            raise
        module = importlib.util.module_from_spec(spec)
        sys.modules[job.module] = module
        spec.loader.exec_module(module)
    kind: Any = module
    for part in job.kind.split("."):
        kind = getattr(kind, part)
    return kind.from_environment(job.environment)


def main(job_file: str, answer_file: str) -> None:
    """Do the job that is in one file, and leave the answers in another."""
    job: CrossProcessJob = pickle.loads(Path(job_file).read_bytes())  # noqa: S301 - from this very program
    answers = answers_of(_made(job), job)
    Path(answer_file).write_bytes(pickle.dumps(answers))


if __name__ == "__main__":
    main(*sys.argv[1:])
