"""Plays worlds for hours: the run before a release.

    python tests/simulation/long.py --seed 1 --commands 10_000_000 --processes 2

Prints now and then how far it is, and at the end what was played. Every violation is
shown with its seed and the shortest story; the exit code is then 5.
"""

import argparse
import sys
import time

from staging import STAGES, played_on_all_cores

from kessai.simulator import COMMANDS_EACH, Figures, narrate, shortest

SOON = 60.0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--commands", type=int, default=10_000_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--gateway", choices=STAGES, default="emulator")
    given = parser.parse_args()
    stage = STAGES[given.gateway]()
    seeds = range(given.seed, given.seed + -(-given.commands // COMMANDS_EACH))
    began = shown = time.monotonic()
    total, found = Figures(), 0
    for figures, findings in played_on_all_cores(seeds, given.processes, given.gateway):
        total.add(figures)
        for finding in findings:
            found += 1
            show(stage, finding)
        if time.monotonic() - shown > SOON:
            shown = time.monotonic()
            say(total, found, seeds, shown - began)
    say(total, found, seeds, time.monotonic() - began)
    return 5 if found else 0


def show(stage, finding):
    print(f"seed {finding.seed}: {finding.violation}", flush=True)  # noqa: T201
    for line in narrate(stage, shortest(stage, finding)):
        print(f"  {line}", flush=True)  # noqa: T201


def say(total, found, seeds, seconds):
    share = total.accepted / max(1, total.commands)
    print(  # noqa: T201
        f"{total.commands:,} commands in {total.worlds:,} worlds, seeds"
        f" {seeds[0]} to {seeds[0] + total.worlds - 1}: {share:.1%} accepted,"
        f" {sum(total.faults.values()):,} faults, {total.resolved:,} of"
        f" {total.operations:,} operations resolved,"
        f" {total.discrepancies:,} discrepancies, {found} violations"
        f" ({total.excused_share:.1%} of the operations excused), {seconds:,.0f} s",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
