"""Kill the engine with SIGKILL at every moment of every command, and look what is left.

    python tests/crash/kill.py --kills 10000 --seed 1

A process runs a story on a real SQLite file against a gateway that survives it. It is
killed before and after an SQL statement, or (by strace's fault injection) at a system
call that writes, syncs, cuts or removes a file. Then the file is opened again, what is
open is recovered, every command is asked for again under its key, and the engine's
books are compared with the gateway's. Prints figures as JSON; exits 1 if anything is
amiss.
"""

import argparse
import sys
import tempfile
import warnings
from pathlib import Path

from breakage.aftermath import Aftermath, demand
from breakage.figures import Figures
from breakage.folder import FOLDER
from breakage.hosts import Host, Job, Straced
from breakage.idle import CALLS
from breakage.points import plans, points

from kessai import Missing, StoreWarning

KINDS = ("statement", *CALLS)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--kinds", default=",".join(KINDS), help="of " + ", ".join(KINDS)
    )
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", StoreWarning)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        return kill(options, folder)


def kill(options, folder):
    kinds = options.kinds.split(",")
    planned = plans(options.seed, folder, options.kills, kinds)
    chosen = points(planned, options.kills, kinds)
    figures = Figures(len(chosen))
    with Host() as host, Straced() as straced:
        for number, point in enumerate(chosen):
            path = f"{folder}/{number}.db"
            run = _run(host, straced, point, path)
            try:
                if not was_passed_by(point, run):
                    demand(
                        run.was_killed, "it was not killed:", run.status, run.reports
                    )
                    _judge(point, path, run, number)
            except Exception as error:  # noqa: BLE001 - all are printed at the end
                figures.violated(str(point), error)
            _note(figures, point, run)
            for left in Path(folder).glob(f"{number}.db*"):
                left.unlink()
    return figures.close()


def was_passed_by(point, run):
    """Whether the run ended before that statement: those that wait commit together,
    so a run may need a few statements less than the one that was counted.
    """
    if point.kind != "statement" or run.was_killed or run.status:
        return False
    done = run.reports["statements"]
    return done < point.number <= done * 1.1


def _run(host, straced, point, path):
    story = point.plan.story
    if point.kind == "statement":
        return host.run(Job(path=path, story=story, statement=point.number))
    stroke = (point.kind, "signal=SIGKILL", point.number, False)
    return straced.run(Job(path=path, story=story), stroke)


def _judge(point, path, run, number):
    # What is not found behind the in-flight limit is sent again, or, now and then,
    # given up.
    missing = Missing.DECLINE if number % 4 == 0 else Missing.RESEND
    chosen = point.plan.story
    Aftermath(path, chosen, run.gateway, run.under_way, missing).judge(
        point.plan.expected
    )


def _note(figures, point, run):
    figures.count("killed_at", point.kind)
    figures.count("killed_in", point.plan.story.named(run.under_way))
    figures.one_more()


if __name__ == "__main__":
    sys.exit(main())
