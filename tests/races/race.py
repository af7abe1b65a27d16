"""Let many ask for the same money at the same moment, and look who got it.

    python tests/races/race.py --rounds 1000 --store race.db --seed 1

Each round is one contest on orders of its own: refunds, captures, cancels, one key for
all, re-authorizations against a termination. The real engine, a real store, and the
gateway's emulator; as threads of one engine, threads with an engine each, and
processes. Afterwards the engine's books are the gateway's, and the audit replays every
trail. Prints figures as JSON; exits 1 at the first violation, which names what makes it
again.
"""

import argparse
import json
import sys
import time
import warnings
from collections import Counter
from random import Random  # noqa: TID251 - seeded, and shown

from racing.contests import CONTESTS, Race, Violation
from racing.judge import Judge
from racing.runners import RUNNERS

from kessai import StoreWarning
from kessai.errors import KessaiError


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=1_000)
    parser.add_argument("--racers", type=int, default=30)
    parser.add_argument("--store", required=True, help="a file, or the URL of a store")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--by", default=",".join(RUNNERS), help="of " + ", ".join(RUNNERS)
    )
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", StoreWarning)
    figures = {}
    try:
        for by in options.by.split(","):
            figures[by] = run(by, options)
    except Violation as violation:
        figures["violation"] = str(violation)
    sys.stdout.write(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    return 1 if "violation" in figures else 0


def run(by, options):
    """Rounds of races, all by the same runner; their figures.

    Raises:
        Violation: something happened twice, or not at all.

    """
    begin = time.monotonic()
    runner = RUNNERS[by](options.store, options.racers)
    try:
        judge = Judge(runner)
        statuses, contests = Counter(), Counter()
        for number in range(options.rounds):
            contest = CONTESTS[number % len(CONTESTS)]
            order = f"{by}-{options.seed}-{number}"
            statuses.update(_round(runner, judge, contest, order, options))
            contests[contest.name] += 1
        report = judge.audit()
    finally:
        runner.close()
    return {
        "rounds": dict(contests),
        "statuses": dict(statuses),
        "transactions": report.transactions,
        "events": report.events,
        "seconds": round(time.monotonic() - begin, 1),
    }


def _round(runner, judge, contest, order, options):
    draw = Random(f"{options.seed} {order}")  # noqa: S311 - no secret
    race = Race(order, draw, runner.racers)
    for command in contest.begins(race):
        runner.engine.execute(command)
        judge.deliver()
    commands = contest.asks(race)
    orders = list(dict.fromkeys([order, *(c.transaction for c in commands)]))
    try:
        statuses = runner.race(commands)
        judge.resolve(orders)
        contest.holds(race, [judge.final(outcome) for outcome in statuses], judge)
        judge.compare(orders)
    except (Violation, KessaiError) as violation:
        message = f"{contest.name}, {order}, seed {options.seed}: {violation}"
        raise Violation(message) from violation
    return Counter(outcome.status for outcome in statuses)


if __name__ == "__main__":
    sys.exit(main())
