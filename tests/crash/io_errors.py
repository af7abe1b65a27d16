"""Let the disk fail at every write and every sync, and see that no effect comes twice.

    python tests/crash/io_errors.py --errors 10000 --seed 1

A process runs a story on a real SQLite file; strace has one of its system calls fail
with EIO or ENOSPC, in one of four ways:

    once    that call alone; the order system asks again if the error allows it
    quit    that call alone; the process ends at the first error, without closing
    always  that call and all of its kind after it
    dying   a sync fails, and after it every write

Afterwards the disk is well again: the file is opened, what is open is recovered, all is
asked for again, and the books are compared. What changed nothing, by its error, must
not be there. Prints figures as JSON; exits 1 if anything is amiss.
"""

import argparse
import sqlite3
import sys
import tempfile
import warnings
from contextlib import closing
from itertools import product
from pathlib import Path

from breakage.aftermath import Aftermath, demand
from breakage.figures import Figures
from breakage.folder import FOLDER
from breakage.hosts import Job, Straced
from breakage.points import plans, points

from kessai import StoreWarning
from kessai.errors import NeverResend, SafeToResend

WAYS = ("once", "quit", "always", "dying")
ERRORS = ("EIO", "ENOSPC")
SYNCS = ("fdatasync", "fsync")
WRITES = ("pwrite64", "ftruncate")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--errors", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ways", default=",".join(WAYS), help="of " + ", ".join(WAYS))
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", StoreWarning)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        return fail(options, folder)


def fail(options, folder):
    chosen = list(_chosen(options, folder))
    figures = Figures(len(chosen))
    with Straced("--seccomp-bpf") as straced:
        for point, way, error in chosen:
            path = f"{folder}/failing.db"
            run = straced.run(_job(point, way, path), *_strokes(point, way, error))
            try:
                _judge(point, path, run, way, figures)
            except Exception as wrong:  # noqa: BLE001 - all are printed at the end
                figures.violated(f"{point}, {way}, {error}", wrong)
            _count(figures, run, point, f"{way} {error}")
            for left in Path(folder).glob("failing.db*"):
                left.unlink()
    return figures.close()


def _chosen(options, folder):
    """Points, ways and errors: syncs and writes in equal shares for each way."""
    ways = options.ways.split(",")
    forms = list(product(ways, (SYNCS, WRITES), ERRORS))
    each = -(-options.errors // len(forms))
    planned = plans(options.seed, folder, each, SYNCS)
    for way, kinds, error in forms:
        # A disk that is dying is one whose sync fails first.
        for point in points(planned, each, SYNCS if way == "dying" else kinds):
            yield point, way, error


def _job(point, way, path):
    story = point.plan.story
    if way == "quit":
        return Job(path=path, story=story, attempts=1, close=False)
    return Job(path=path, story=story, close=way == "once")


def _strokes(point, way, error):
    what = f"error={error}"
    yield point.kind, what, point.number, way == "always"
    if way == "dying":
        syncs = [n for n, c in enumerate(point.plan.calls) if c == point.kind]
        before = point.plan.calls[: syncs[point.number - 1]]
        yield "pwrite64", what, before.count("pwrite64") + 1, True


def _judge(point, path, run, way, figures):
    demand(run.status == 0, "the process did not end by itself:", run.status)
    failed = run.reports["failed"]
    for _, _, error in failed:
        demand(not isinstance(error, NeverResend), "not allowed to ask again:", error)
    if way == "quit":
        _demand_truth(path, failed, figures)
    Aftermath(path, point.plan.story, run.gateway, run.under_way).judge(
        point.plan.expected
    )


def _demand_truth(path, failed, figures):
    """What changed nothing, by its error, is not there after opening again."""
    for _, key, error in failed:
        if key and isinstance(error, SafeToResend):
            with closing(sqlite3.connect(path)) as raw:
                query = "SELECT count(*) FROM kessai_answers WHERE key = ?"
                found = raw.execute(query, (key,)).fetchone()
            demand(found == (0,), "it is there all the same:", key, error)
            figures.count("changed_nothing", "and had not")


def _count(figures, run, point, form):
    figures.count("failed_at", point.kind)
    figures.count("ways", form)
    figures.count("failed_in", point.plan.story.named(run.under_way))
    errors = {type(error).__name__ for *_, error in run.reports["failed"]}
    figures.count("errors_raised", ", ".join(sorted(errors)) or "nothing")
    figures.one_more()


if __name__ == "__main__":
    sys.exit(main())
