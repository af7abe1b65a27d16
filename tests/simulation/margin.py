"""How soon the simulator finds each planted defect: the table of its margin.

    python tests/simulation/margin.py --within 10000 --seeds 1 1001 2001
    python tests/simulation/margin.py the_in_flight_limit_is_a_minute

A line a defect: the commands until it was found from each seed on, `-` if it was not.
The exit code is 5 if a defect was found from fewer than two thirds of the seeds.
"""

import argparse
import sys

from defects import DEFECTS
from planting import GATEWAYS
from staging import STAGES

from kessai.simulator import simulate

SEEDS = (1, 1001, 2001)
"""Far enough apart that no world is played twice."""

WITHIN = 10_000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("defects", nargs="*", metavar="DEFECT")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--within", type=int, default=WITHIN)
    given = parser.parse_args()
    missed = 0
    for name in given.defects or DEFECTS:
        found = [until_found(name, seed, given.within) for seed in given.seeds]
        seen = sum(commands is not None for commands, _ in found)
        missed += 3 * seen < 2 * len(found)
        shown = "".join(f"{commands or '-':>8}" for commands, _ in found)
        code = next((code for _, code in found if code), "")
        print(f"{name:52}{shown}  {code}", flush=True)  # noqa: T201
    return 5 if missed else 0


def until_found(name, seed, within=WITHIN):
    """After how many commands `name` is found, and as what; None if it is not."""
    with DEFECTS[name]():
        figures = simulate(STAGES[GATEWAYS[name]](), seed, within)
    if figures.finding is None:
        return None, ""
    return figures.commands, figures.finding.violation.code


if __name__ == "__main__":
    sys.exit(main())
