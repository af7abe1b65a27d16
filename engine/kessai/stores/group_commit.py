"""Group commit: what several threads write at the same time is committed at once.

A commit costs a write to the disk, however much it holds. The first thread that comes
leads: it writes for all that wait. Those that come meanwhile wait for the next group,
which one of them leads. There is no thread in the background, and the leader may be
interrupted anywhere: what was not committed is left to the next leader.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
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

    def __init__(self, work: Callable[..., object]) -> None:
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
        """To be set right before the commit: from then on it may be in the store."""

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

    `write` writes a `Group` in one transaction: it begins, takes the jobs, does each (it
    alone knows what their work is to be given) and keeps its result or its error in the
    job, and commits. What `write` raises is the error of all the jobs.
    """

    def __init__(self, write: Callable[[Group], None]) -> None:
        self._write = write
        self._waiting: deque[Job] = deque()
        self._leading = Lock()
        self._is_led = False

    def run(self, work: Callable[..., T]) -> T:
        """What `work` gives, once it is committed.

        Raises whatever `work` raises, or what the transaction failed with.
        """
        job = Job(work)
        self._run([job])
        if job.error is not None:
            raise job.error
        return cast("T", job.result)

    def run_each(
        self, works: Iterable[Callable[..., object]]
    ) -> list[KessaiError | None]:
        """Run several at once; the error of each, None where it is committed.

        Any other error of one of them is raised, as `run` does.
        """
        jobs = [Job(work) for work in works]
        self._run(jobs)
        errors = [job.error if job.is_done else _interrupted() for job in jobs]
        return [each if each is None else _own(each) for each in errors]

    def _run(self, jobs: Sequence[Job]) -> None:
        last = jobs[-1]  # they are done in order, so the others are done before it
        try:
            self._waiting.extend(jobs)
            while not last.is_done:
                if not self._is_led or _is_to_lead(last):
                    self._lead(last)
        except BaseException:  # an interrupt: nobody waits for these jobs any more
            for job in jobs:
                with suppress(ValueError):
                    self._waiting.remove(job)
            self._hand_over()
            raise

    def _lead(self, own: Job) -> None:
        group = Group(self._waiting)
        try:
            # A lock that `with` takes is released wherever an interrupt strikes.
            with self._leading:
                self._lead_if_needed(own, group)
        finally:
            self._hand_over()
            for job in group.jobs:
                if job is not own:
                    job.call.put(DONE)

    def _lead_if_needed(self, own: Job, group: Group) -> None:
        if own.is_done:  # by another leader, while this thread waited to lead
            return
        if own not in self._waiting:  # the leader that took it was interrupted
            own.error, own.is_done = _interrupted(), True
            return
        self._is_led = True
        self._write_all(group, own)

    def _write_all(self, group: Group, own: Job) -> None:
        try:
            self._write(group)
        except KessaiError as error:
            group.take()  # jobs that have come meanwhile are waiting, too
            for job in group.jobs:
                job.error = job.error or _for_each(error)
        except BaseException:
            self._give_back(group, own)
            raise
        for job in group.jobs:
            job.is_done = True

    def _give_back(self, group: Group, own: Job) -> None:
        """Leave what was not committed to the next leader."""
        for job in reversed(group.jobs):
            if group.is_committing:
                job.error, job.is_done = job.error or _interrupted(), True
            elif job is not own:
                job.error = None
                self._waiting.appendleft(job)

    def _hand_over(self) -> None:
        """Let the first waiting thread lead; those that come now wait for it."""
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


def _own(error: BaseException) -> KessaiError:
    if isinstance(error, KessaiError):
        return error
    raise error


def _for_each(error: KessaiError) -> KessaiError:
    """An own copy of the error for each thread, as each adds its own traceback."""
    again = type(error)(*error.args)
    again.__cause__ = error.__cause__
    return again


def _interrupted() -> CommitUnknown:
    message = "the commit was interrupted; it may or may not be there"
    return CommitUnknown(message)
