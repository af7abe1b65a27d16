"""A process that has everything imported and forks one worker a job; run by `hosts`.

Under strace the workers inherit its fault injection, and each counts its own calls. The
number of the call that is struck is fixed when strace starts, so a worker first makes
as many idle calls as bring the one that it is meant for to that number.
"""

import gc
import os
import signal
import sqlite3
import sys
import traceback
import warnings
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle

from breakage.gateway import Link
from breakage.idle import IDLE
from breakage.planted import STORES
from breakage.player import Player
from kessai import StoreWarning
from kessai.errors import KessaiError

_connect = sqlite3.connect


class Counter:
    """Counts moments, and dies at the one that it was given."""

    def __init__(self, deadly):
        self.deadly = deadly
        self.count = 0

    def tick(self, _statement=None):
        self.count += 1
        if self.count == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)


def _instrument(job, counter):
    """Have every connection count its statements and checkpoint as the story has it."""

    class Counted(sqlite3.Connection):
        def execute(self, *arguments):
            cursor = super().execute(*arguments)
            counter.tick()
            return cursor

    def connect(*arguments, **options):
        connection = _connect(*arguments, factory=Counted, **options)
        sqlite3.Connection.execute(
            connection, f"PRAGMA wal_autocheckpoint = {job.story.checkpoint_pages}"
        )
        connection.set_trace_callback(counter.tick)
        return connection

    sqlite3.connect = connect


def _work(job, line):
    counter = Counter(job.statement)
    _instrument(job, counter)
    link = Link(line)
    for call, times in job.idle:
        for _ in range(times):
            IDLE[call]()
    try:
        store = STORES[job.defect](job.path)
    except KessaiError as error:
        link.report("failed", [(None, "", error)])
        return
    player = Player(store, link, job.story.drives, attempts=job.attempts)
    player.play(job.story.steps)
    link.report("failed", player.failed)
    link.report("seen", {t.id: t.version for t in store.transactions()})
    if job.close:
        player.close()
    link.report("statements", counter.count)


def _fork(job, handle):
    worker = os.fork()
    if worker:
        os.close(handle)
        return os.waitpid(worker, 0)
    try:
        _work(job, Connection(handle))
        os._exit(0)
    except BaseException:  # noqa: BLE001 - the worker's last word
        traceback.print_exc()
        os._exit(1)


def main():
    warnings.simplefilter("ignore", StoreWarning)
    control = Connection(int(sys.argv[1]))
    control.send("ready")
    gc.freeze()  # what is never collected is never copied into a worker
    while True:
        try:
            job = control.recv()
        except EOFError:
            return
        control.send(_fork(job, recv_handle(control)))


if __name__ == "__main__":
    main()
