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
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import attrs

from kessai.gateway import AnyAdapter
from kessai.testing.adapter_kit.forms import Question

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
    questions: Mapping[str, Question]


class NoAnswerError(Exception):
    """The other process ended without an answer; the text is its last line."""


def asked_cross_process(job: CrossProcessJob) -> list[dict[str, str]]:
    """The adapter's answer to each thing asked, by its name, one dict a process.

    Raises:
        NoAnswerError: a process could not make the adapter, or took a minute.

    """
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
        path = Path(folder)
        (path / "job").write_bytes(pickle.dumps(job))
        # One after the other would take twice as long.
        return list(pool.map(partial(_asked_in, path), range(len(_WORLDS)), _WORLDS))


def _asked_in(folder: Path, number: int, world: Mapping[str, str]) -> dict[str, str]:
    place, answer = folder / f"place-{number}", folder / f"{number}"
    place.mkdir()
    search = [str(Path(entry).absolute()) for entry in sys.path if entry]
    try:
        done = subprocess.run(  # noqa: S603 - this very program
            [sys.executable, "-m", __name__, str(folder / "job"), str(answer)],
            cwd=place,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(search), **world},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        message = "it took longer than a minute"
        raise NoAnswerError(message) from None
    if done.returncode:
        raise NoAnswerError(done.stderr.strip().rpartition("\n")[2])
    answers: dict[str, str] = pickle.loads(answer.read_bytes())  # noqa: S301 - written by this very program
    return answers


def answers_of(
    adapter: AnyAdapter, questions: Mapping[str, Question]
) -> dict[str, str]:
    """The answers of `adapter` to named questions, as text."""
    return {
        name: repr(_in_full(question.put_to(adapter)))
        for name, question in questions.items()
    }


def _in_full(answer: object) -> object:
    """An answer with what its repr leaves out."""
    if isinstance(answer, tuple):
        return [_in_full(one) for one in answer]
    return attrs.astuple(answer) if attrs.has(type(answer)) else answer  # type: ignore[arg-type]


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
    answers = answers_of(_made(job), job.questions)
    Path(answer_file).write_bytes(pickle.dumps(answers))


if __name__ == "__main__":
    main(*sys.argv[1:])
