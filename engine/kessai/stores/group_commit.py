"""Group commit: what threads of one process write at the same time is committed at once.

A commit costs a write to the disk, however much it holds. The first thread that comes
leads: it writes for all that wait. Those that come meanwhile wait for the next group,
led by one of them. There is no thread in the background, and who leads may be
interrupted anywhere: what was not committed is left to the next one.
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock
from typing import TypeVar, cast

from kessai.errors import CommitUnknown, KessaiError
from kessai.limits import LOOK_AGAIN_SECONDS

T = TypeVar("T")

LEAD, DONE = True, False


class Job:
    """What one thread wants written, and what came of it."""

    __slots__ = ("call", "error", "is_done", "result", "work")

    def __init__(self, work: Callable[[], object]) -> None:
        self.work = work
        self.call: SimpleQueue[bool] = SimpleQueue()
        self.is_done = False
        self.result: object = None
        self.error: BaseException | None = None


class Group:
    """The jobs of one transaction of the database."""

    def __init__(self, waiting: deque[Job]) -> None:
        self._waiting = waiting
        self.jobs: list[Job] = []
        self.is_committing = False
        """To be set right before the commit: from then on it may be there."""

    def take(self) -> Sequence[Job]:
        """All that wait now: from here on they are part of this transaction."""
        try:
            while self._waiting:
                self.jobs.append(self._waiting.popleft())
        except IndexError:  # the last one was interrupted, and took its job back
            pass
        return self.jobs


class GroupCommit:
    """Runs the work of many threads in as few transactions as possible.

    `write` writes a `Group` in one transaction: it begins, takes the jobs, does each and
    keeps its result or its own error in it, and commits. What it raises is the error of
    all of them.
    """

    def __init__(self, write: Callable[[Group], None]) -> None:
        self._write = write
        self._waiting: deque[Job] = deque()
        self._leading = Lock()
        self._is_led = False

    def run(self, work: Callable[[], T]) -> T:
        """What `work` gives, once it is committed.

        Raises whatever `work` raises, or what the transaction failed with.
        """
        job = Job(work)
        try:
            self._waiting.append(job)
            while not job.is_done:
                if not self._is_led or _is_to_lead(job):
                    self._lead(job)
        except BaseException:  # an interrupt: what nobody waits for must not be written
            with suppress(ValueError):
                self._waiting.remove(job)
            self._hand_over()
            raise
        if job.error is not None:
            raise job.error
        return cast("T", job.result)

    def _lead(self, own: Job) -> None:
        group = Group(self._waiting)
        try:
            # A lock that `with` takes is let go of wherever an interrupt may strike.
            with self._leading:
                self._lead_if_needed(own, group)
        finally:
            self._hand_over()
            for job in group.jobs:
                if job is not own:
                    job.call.put(DONE)

    def _lead_if_needed(self, own: Job, group: Group) -> None:
        if own.is_done:  # by who led while this one waited to lead
            return
        if own not in self._waiting:  # who took it was interrupted, and is gone
            own.error, own.is_done = _interrupted(), True
            return
        self._is_led = True
        self._write_all(group, own)

    def _write_all(self, group: Group, own: Job) -> None:
        try:
            self._write(group)
        except KessaiError as error:
            group.take()  # who has come meanwhile has waited as well
            for job in group.jobs:
                job.error = job.error or _for_each(error)
        except BaseException:
            self._give_back(group, own)
            raise
        for job in group.jobs:
            job.is_done = True

    def _give_back(self, group: Group, own: Job) -> None:
        """Leave to the next one that leads what was not committed."""
        for job in reversed(group.jobs):
            if group.is_committing:
                job.error, job.is_done = job.error or _interrupted(), True
            elif job is not own:
                job.error = None
                self._waiting.appendleft(job)

    def _hand_over(self) -> None:
        """Let the first that waits lead; who comes now waits for it."""
        self._is_led = False
        try:
            if self._waiting:
                self._is_led = True
                self._waiting[0].call.put(LEAD)
        except IndexError:  # somebody else leads, and has taken it
            self._is_led = False


def _is_to_lead(job: Job) -> bool:
    """Wait until `job` is done, or to lead."""
    try:
        return job.call.get(timeout=LOOK_AGAIN_SECONDS)
    except Empty:
        return True


def _for_each(error: KessaiError) -> KessaiError:
    """An error of its own for each thread: each adds where it was raised."""
    again = type(error)(*error.args)
    again.__cause__ = error.__cause__
    return again


def _interrupted() -> CommitUnknown:
    message = "the commit was interrupted; it may or may not be there"
    return CommitUnknown(message)
