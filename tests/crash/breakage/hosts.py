"""Running stories in processes that die, or whose system calls fail."""

import os
import signal
import subprocess
import sys
from multiprocessing import Pipe
from multiprocessing.connection import wait
from multiprocessing.reduction import send_handle
from pathlib import Path

import attrs

from breakage.gateway import Gateway
from breakage.idle import CALLS

ROOM = 200
"""Workers make at most so many idle calls; beyond it another strace is started."""


@attrs.frozen(kw_only=True)
class Job:
    """A story to run on a file, and what befalls the process that runs it.

    It dies at `statement` (two moments a statement: before and after). Under strace,
    `idle` system calls of each kind come first, so that strace interferes where it
    should. A step that fails is tried `attempts` times; `close` is whether it ends in
    order. A `defect` is planted, to see that it is found.
    """

    path: str
    story: object
    statement: int = 0
    idle: tuple = ()
    attempts: int = 3
    close: bool = True
    defect: str = ""


@attrs.frozen
class Run:
    """How a worker ended, and the gateway that it leaves behind."""

    gateway: Gateway
    worker: int
    status: int
    reports: dict
    under_way: int | None

    @property
    def was_killed(self):
        signaled = os.WIFSIGNALED(self.status)
        return signaled and os.WTERMSIG(self.status) == signal.SIGKILL


def _under_way(gateway):
    """The step that had been asked for and not been answered, or None."""
    open_ones = gateway.asked.keys() - gateway.acknowledged.keys()
    return max(open_ones, default=None)


class Host:
    """A forking process, under strace if `strace` gives its options."""

    def __init__(self, strace=()):
        self._control, theirs = Pipe()
        script = Path(__file__).with_name("host.py")
        command = [sys.executable, str(script), str(theirs.fileno())]
        if strace:
            command = ["strace", "-f", "-qq", "-o", os.devnull, *strace, *command]
        path = os.pathsep.join([str(script.parent.parent), *_inherited()])
        self._process = subprocess.Popen(
            command,
            pass_fds=[theirs.fileno()],
            env={**os.environ, "PYTHONPATH": path},
        )
        theirs.close()
        self._control.recv()

    def run(self, job):
        ours, theirs = Pipe()
        self._control.send(job)
        send_handle(self._control, theirs.fileno(), self._process.pid)
        theirs.close()
        gateway = _Listening()
        lines = [ours, self._control]
        while self._control not in (ready := wait(lines)):
            _serve(gateway, ours, ready, lines)
        worker, status = self._control.recv()
        while ours in lines and ours.poll():  # what it still sent before it died
            _serve(gateway, ours, [ours], lines)
        ours.close()
        return Run(gateway, worker, status, gateway.reports, _under_way(gateway))

    def close(self):
        self._control.close()
        self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class _Listening(Gateway):
    def __init__(self):
        super().__init__()
        self.reports = {}

    def report(self, name, value):
        self.reports[name] = value


def _serve(gateway, line, ready, lines):
    if line not in ready:
        return
    try:
        gateway.serve(line)
    except (EOFError, ConnectionResetError):
        lines.remove(line)


def _inherited():
    given = os.environ.get("PYTHONPATH")
    return [given] if given else []


class Straced:
    """Hosts under strace, which interferes with its workers' chosen system calls.

    `what` is what befalls a call, as strace writes it: `signal=SIGKILL` or `error=EIO`.
    """

    def __init__(self, *more):
        self._more = more
        self._hosts = {}

    def run(self, job, *strokes):
        """Run a job; each of `strokes` is a call, what befalls it, and at which."""
        injections, idle = [], []
        for call, what, number, repeat in strokes:
            struck = -(-number // ROOM) * ROOM
            injections.append(f"{call}:{what}:when={struck}{'+' if repeat else ''}")
            idle.append((call, struck - number))
        host = self._host(tuple(injections))
        return host.run(attrs.evolve(job, idle=tuple(idle)))

    def _host(self, injections):
        if injections not in self._hosts:
            options = [f"trace={','.join(CALLS)}", *(f"inject={i}" for i in injections)]
            given = [word for option in options for word in ("-e", option)]
            self._hosts[injections] = Host([*given, *self._more])
        return self._hosts[injections]

    def close(self):
        for host in self._hosts.values():
            host.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def calls_of(stories, folder):
    """The calls of an undisturbed worker that reach a disk, in order, story by story."""
    log = Path(folder) / "calls"
    options = ["-ff", "-o", str(log), "-e", f"trace={','.join(CALLS)}"]
    with Host(options) as host:
        workers = []
        for number, story in enumerate(stories):
            path = Path(folder) / f"counted-{number}.db"
            workers.append(host.run(Job(path=str(path), story=story)).worker)
    return [_calls_in(log.with_name(f"calls.{worker}")) for worker in workers]


def _calls_in(log):
    lines = log.read_text().splitlines()
    return tuple(line.partition("(")[0] for line in lines if "(" in line)
