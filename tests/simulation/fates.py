"""Whatever can befall a few operations in a row, every combination of it.

    python tests/simulation/fates.py refund,refund,refund update_consent,terminate
    python tests/simulation/fates.py --gateway stripe --pairs

A transaction is asked for a few commands, of one amount or of different ones; --pairs
takes any two that one lifecycle of the gateway has, or a charge and its agreement;
--every 10 takes every tenth combination of them. Each request is carried out, refused, lost or
late, its reply lost or slept over, its worker dies or sleeps; what is late arrives, and
who slept wakes up, at any later point. The gateway is asked what it lists once the
in-flight limit has passed, after each or after the last. In the end all resolves and is
compared, as after any story of the simulator: what the simulator meets once in millions
of commands, this goes through every time. The exit code is 5 if any combination was
wrong.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from itertools import combinations_with_replacement, product

import attrs
from applying import MERCHANTS_PAGE
from settings import PLENTY, Setting, pairs_of, setting_of
from staging import STAGES

from kessai import Command, Missing
from kessai.simulator import Fault, Stage, Violation, replay
from kessai.simulator.moves import (
    Arrive,
    Ask,
    ComeBack,
    Consume,
    Pass,
    Recover,
    TaskStep,
    WorldMove,
)

PAST_THE_IN_FLIGHT_LIMIT = 660
RETURNING = 99
"""The worker that sends on what the consumer comes back with."""


@attrs.frozen
class Look:
    """Time passes after a request, and then a recoverer comes by, if `missing` is given."""

    seconds: int
    missing: Missing | None = None

    def __str__(self):
        return f"{self.missing or 'nobody'} after {self.seconds} s"


DECLINE = Look(PAST_THE_IN_FLIGHT_LIMIT, Missing.DECLINE)
RESEND = Look(PAST_THE_IN_FLIGHT_LIMIT, Missing.RESEND)
NOBODY = Look(PAST_THE_IN_FLIGHT_LIMIT)
SOON = Look(0, Missing.DECLINE)


def looks(operations: int) -> list[tuple[Look, ...]]:
    """Who looks, and when: after each; or after the last alone, while it is young."""
    only_at_last = (*(NOBODY,) * (operations - 1), SOON)
    return [(DECLINE,) * operations, (RESEND,) * operations, only_at_last]


@attrs.frozen
class Fate:
    """What becomes of a request; what is left of it goes on at a later `point`."""

    name: str
    now: tuple[WorldMove, ...]
    later: tuple[WorldMove, ...] = ()
    point: int = 0

    def __str__(self):
        return f"{self.name}@{self.point}" if self.later else self.name


@attrs.frozen
class Way:
    """One combination: what is asked for, what becomes of each, and who recovers."""

    setting: Setting
    commands: tuple[str, ...]
    amounts: tuple[int, ...]
    fates: tuple[Fate, ...]
    looks: tuple[Look, ...]
    consumer: tuple[int, ...] = ()
    """At which points the consumer logs in, and approves, if they are applied to here."""

    def __str__(self):
        each = zip(self.commands, self.amounts, self.fates, self.looks, strict=True)
        parts = [f"{one} {amount} {fate}, {by}" for one, amount, fate, by in each]
        if self.consumer:
            parts.append(f"the consumer at {self.consumer}")
        return "; ".join(parts)

    def story(self) -> list[WorldMove]:
        """Its moves. After each request, and after each inquiry, there is a point."""
        story = self.setting.moves(self.commands)
        for place, fate in enumerate(self.fates):
            task, recoverer = tasks(place)
            story += [
                Ask(task, self._asked(place)),
                *[TaskStep(task)] * 3,
                *of(task, fate.now),
            ]
            story += self._comes_later(2 * place)
            look = self.looks[place]
            story.append(Pass(look.seconds))
            if look.missing is not None:
                story += [
                    Recover(recoverer, look.missing),
                    *[TaskStep(recoverer)] * PLENTY,
                ]
            story += self._comes_later(2 * place + 1)
        return story

    def _asked(self, place: int) -> Command:
        flags = self.setting.flags(self.commands)
        name, amount = self.commands[place], self.amounts[place]
        return self.setting.asked(
            name, f"key-{place}", amount, **MERCHANTS_PAGE, **flags
        )

    def _comes_later(self, point: int) -> list[WorldMove]:
        """What arrives, then what the consumer does, and then who wakes up."""
        order = self.setting.order
        acts = zip(("log_in", "approve"), self.consumer, strict=False)
        left = [
            move
            for place, fate in enumerate(self.fates)
            if fate.later and fate.point == point
            for move in of(tasks(place)[0], fate.later)
        ]
        return [
            *(move for move in left if isinstance(move, Arrive)),
            *(Consume(order, act) for act, when in acts if when == point),
            *(
                ComeBack(RETURNING, order)
                for when in self.consumer[1:]
                if when == point
            ),
            *[TaskStep(RETURNING)] * (PLENTY if point in self.consumer[1:] else 0),
            *(move for move in left if isinstance(move, TaskStep)),
        ]


def tasks(place):
    """The worker of a request, and who recovers after it."""
    return 3 + 2 * place, 4 + 2 * place


def of(task, moves):
    return [attrs.evolve(move, task=task) for move in moves]


def fates(place: int, operations: int) -> Iterator[Fate]:
    """All that can become of the request in `place`; its worker's next step is to send."""
    rest = (TaskStep(0),) * PLENTY
    yield Fate("fine", rest)
    yield Fate("lost", (TaskStep(0, Fault.LOST_REQUEST), *rest))
    yield Fate("unheard", (TaskStep(0, Fault.LOST_REPLY), *rest))
    yield Fate("refused", (TaskStep(0, Fault.REFUSAL), *rest))
    yield Fate("dead", (TaskStep(0, Fault.CRASH_BEFORE),))
    for point in range(2 * place, 2 * operations):
        late = (TaskStep(0, Fault.LATE_REQUEST), *rest)
        yield Fate("late", late, (Arrive(0),), point)
        yield Fate(
            "slept over", (TaskStep(0, hold=True),), (TaskStep(0),) * PLENTY, point
        )
        yield Fate("asleep", (), (TaskStep(0),) * PLENTY, point)


def ways(
    stage: Stage, commands: tuple[str, ...], who_looks: list[tuple[Look, ...]]
) -> Iterator[Way]:
    """Every combination, with one amount and with different ones."""
    setting = setting_of(stage, commands)
    places = range(len(commands))
    opens = commands[0] == setting.opening
    step = -20 if opens else 50  # what is opened by less allows no more after it
    alike = tuple(100 for _ in places)
    different = tuple(100 + step * place for place in places)
    of_each = [list(fates(place, len(commands))) for place in places]
    points = 2 * len(commands)
    consumers = [(), *combinations_with_replacement(range(points), 2)]
    for amounts, chosen, looked, consumer in product(
        (alike, different),
        product(*of_each),
        who_looks,
        consumers if opens and setting.under is None else [()],
    ):
        yield Way(setting, commands, amounts, chosen, looked, consumer)


def violations(stage: Stage, found: Iterable[Way]) -> Iterator[tuple[Way, Violation]]:
    """The ways that end wrong."""
    for way in found:
        violation = replay(stage, way.story())
        if violation is not None:
            yield way, violation


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("commands", nargs="*", metavar="COMMAND,COMMAND,...")
    parser.add_argument("--pairs", action="store_true", help="any two commands")
    parser.add_argument("--gateway", choices=STAGES, default="emulator")
    parser.add_argument("--every", type=int, default=1, metavar="N")
    given = parser.parse_args()
    stage = STAGES[given.gateway]()
    asked = [tuple(line.split(",")) for line in given.commands]
    any_wrong = False
    for commands in [*asked, *(pairs_of(stage) if given.pairs else ())]:
        every = list(ways(stage, commands, looks(len(commands))))[:: given.every]
        wrong = 0
        for way, violation in violations(stage, every):
            wrong += 1
            print(f"{way}\n  {violation}", flush=True)  # noqa: T201
        line = f"{','.join(commands)}: {len(every):,} ways, {wrong:,} end wrong"
        print(line, flush=True)  # noqa: T201
        any_wrong = any_wrong or wrong > 0
    return 5 if any_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
