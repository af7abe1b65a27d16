"""Whatever can befall a few operations in a row, every combination of it.

    python tests/simulation/fates.py --operations 3

A transaction is asked for the same command a few times, of one amount or of different
ones. Each request is carried out, refused, lost or late, its reply lost or slept over,
its worker dies or sleeps; what is late arrives, and who slept wakes up, at any later
point. After each the transaction is looked up beyond the fence. In the end all settles
and is compared, as after any story of the simulator: where chance comes by once in
millions of commands, this goes every way. The exit code is 5 if any way was wrong.
"""

import argparse
import sys
from collections.abc import Iterator
from itertools import product

import attrs
from staging import memory_stage

from kessai import Command, Missing
from kessai.simulator import Fault, Violation, replay
from kessai.simulator.moves import (
    Arrive,
    Ask,
    Consume,
    Deliver,
    Move,
    Pass,
    Recover,
    Step,
)

MONTHLY = {"frequency": {"unit": "Month", "value": 1}}
PUSHES = dict.fromkeys(
    ("authorize_push_url", "capture_push_url", "cancel_push_url"),
    "https://shop.example/push",
)
PLENTY = 24
"""More steps than any task has left; what is past its end does nothing."""

PAST_THE_FENCE = 660


@attrs.frozen
class Setting:
    """Where a command is asked for a few times: the application, and its consumer."""

    lifecycle: str
    applied: int
    parameters: dict = attrs.field(factory=dict)
    given: dict = attrs.field(factory=dict)

    @property
    def order(self):
        return f"{self.lifecycle}-1"

    def moves(self) -> list[Move]:
        command = Command(
            "authorize",
            self.order,
            key="apply",
            lifecycle=self.lifecycle,
            amount=self.applied,
            parameters={**PUSHES, **self.given, **self.parameters},
        )
        return [
            Ask(1, command),
            *[Step(1)] * 6,
            Consume(self.order, "log_in"),
            Consume(self.order, "approve"),
            Deliver(2, self.order, 0),
            *[Step(2)] * 4,
        ]


SETTINGS = {
    "refund": Setting("one_time", 500, given={"with_capture": True}),
    "update_authorization": Setting("one_time", 500),
    "update_consent": Setting("recurring", 400, parameters=MONTHLY),
}


@attrs.frozen
class Fate:
    """What becomes of a request; what is left of it goes on at a later `point`."""

    name: str
    now: tuple[Move, ...]
    later: tuple[Move, ...] = ()
    point: int = 0

    def __str__(self):
        return f"{self.name}@{self.point}" if self.later else self.name


@attrs.frozen
class Way:
    """One combination: what is asked for, what becomes of each, and who recovers."""

    command: str
    amounts: tuple[int, ...]
    fates: tuple[Fate, ...]
    missing: tuple[Missing | None, ...]

    def __str__(self):
        recoveries = (m.value if m else "none" for m in self.missing)
        told = zip(self.amounts, self.fates, recoveries, strict=True)
        rows = (f"{amount} {fate}, {recovery}" for amount, fate, recovery in told)
        return f"{self.command}: {'; '.join(rows)}"

    def story(self) -> list[Move]:
        """Its moves. After each request, and after each look-up, there is a point."""
        setting = SETTINGS[self.command]
        story = setting.moves()
        for place, fate in enumerate(self.fates):
            task, recoverer = tasks(place)
            command = Command(
                self.command,
                setting.order,
                key=f"key-{place}",
                amount=self.amounts[place],
                parameters=setting.parameters,
            )
            story += [Ask(task, command), *[Step(task)] * 3, *of(task, fate.now)]
            story += self._comes_later(2 * place)
            missing = self.missing[place]
            if missing is not None:
                story += [Pass(PAST_THE_FENCE), Recover(recoverer, missing)]
                story += [Step(recoverer)] * PLENTY
            story += self._comes_later(2 * place + 1)
        return story

    def _comes_later(self, point: int) -> list[Move]:
        return [
            move
            for place, fate in enumerate(self.fates)
            if fate.later and fate.point == point
            for move in of(tasks(place)[0], fate.later)
        ]


def tasks(place):
    """The worker of a request, and who recovers after it."""
    return 3 + 2 * place, 4 + 2 * place


def of(task, moves):
    return [attrs.evolve(move, task=task) for move in moves]


def fates(place: int, operations: int) -> Iterator[Fate]:
    """All that can become of the request in `place`; its worker's next step is to send."""
    rest = (Step(0),) * 4
    yield Fate("fine", rest)
    yield Fate("lost", (Step(0, Fault.LOST_REQUEST), *rest))
    yield Fate("unheard", (Step(0, Fault.LOST_REPLY), *rest))
    yield Fate("refused", (Step(0, Fault.REFUSAL), *rest))
    yield Fate("dead", (Step(0, Fault.CRASH_BEFORE),))
    for point in range(2 * place, 2 * operations):
        late = (Step(0, Fault.LATE_REQUEST), *rest)
        yield Fate("late", late, (Arrive(0),), point)
        yield Fate("slept over", (Step(0, hold=True),), (Step(0),) * PLENTY, point)
        yield Fate("asleep", (), (Step(0),) * PLENTY, point)


def ways(
    command: str, operations: int, recoveries: list[tuple[Missing | None, ...]]
) -> Iterator[Way]:
    """Every combination, with one amount and with different ones."""
    alike = (100,) * operations
    different = tuple(100 + 50 * place for place in range(operations))
    of_each = [list(fates(place, operations)) for place in range(operations)]
    for amounts, chosen, missing in product(
        (alike, different), product(*of_each), recoveries
    ):
        yield Way(command, amounts, chosen, missing)


def violations(found: Iterator[Way]) -> Iterator[tuple[Way, Violation]]:
    """The ways that end wrong."""
    stage = memory_stage()
    for way in found:
        violation = replay(stage, way.story())
        if violation is not None:
            yield way, violation


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--operations", type=int, default=3)
    parser.add_argument("--command", choices=sorted(SETTINGS), action="append")
    given = parser.parse_args()
    played, wrong = 0, 0

    def counted(all_ways):
        nonlocal played
        for way in all_ways:
            played += 1
            yield way

    recoveries = [(m,) * given.operations for m in (Missing.DECLINE, Missing.RESEND)]
    for command in given.command or SETTINGS:
        for way, violation in violations(
            counted(ways(command, given.operations, recoveries))
        ):
            wrong += 1
            print(f"{way}\n  {violation}", flush=True)  # noqa: T201
    print(f"{played:,} ways, {wrong:,} end wrong")  # noqa: T201
    return 5 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
