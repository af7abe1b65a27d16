"""Whatever can befall a few operations in a row, every combination of it.

    python tests/simulation/fates.py refund,refund,refund update_consent,terminate

A transaction is asked for a few commands, of one amount or of different ones; --pairs
takes any two that one lifecycle has. Each request is carried out, refused, lost or
late, its reply lost or slept over, its worker dies or sleeps; what is late arrives, and
who slept wakes up, at any later point. The gateway is asked what it lists once the
in-flight limit has passed, after each or after the last. In the end all resolves and is
compared, as after any story of the simulator: what the simulator meets once in millions
of commands, this goes through every time. The exit code is 5 if any combination was
wrong.
"""

import argparse
import sys
from collections.abc import Iterator
from itertools import combinations_with_replacement, product

import attrs
from applying import MERCHANTS_PAGE, MONTHLY, applied, approved, opening
from staging import memory_stage

from kessai import Command, Missing
from kessai.simulator import Fault, Violation, replay
from kessai.simulator.moves import (
    Arrive,
    Ask,
    Consume,
    Pass,
    Recover,
    TaskStep,
    WorldMove,
)

PLENTY = 24
"""More steps than any task has left; what is past its end does nothing."""

PAST_THE_IN_FLIGHT_LIMIT = 660


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
class Setting:
    """Where commands are asked for: the opening command, and its consumer."""

    lifecycle: str
    applied: int
    given: dict = attrs.field(factory=dict)

    @property
    def order(self):
        return f"{self.lifecycle}-1"

    def moves(self) -> list[WorldMove]:
        return [
            *applied(self.lifecycle, self.applied, **self.given),
            Consume(self.order, "log_in"),
            *approved(self.lifecycle),
        ]


AUTHORIZED = Setting("one_time", 500)
CAPTURED = Setting("one_time", 500, {"with_capture": True})
CONSENTED = Setting("recurring", 400, MONTHLY)
WHOLE = {"cancel", "terminate"}


def setting_of(commands: tuple[str, ...]) -> Setting:
    """A consent for what is a consent's; what begins with a refund finds it captured."""
    if {"update_consent", "terminate"} & set(commands):
        return CONSENTED
    return CAPTURED if commands[0] == "refund" else AUTHORIZED


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
        setting = setting_of(self.commands)
        story = [] if self.commands[0] == "authorize" else setting.moves()
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
        name = self.commands[place]
        if name == "authorize":
            setting = setting_of(self.commands)
            given = {**setting.given, **MERCHANTS_PAGE}
            return opening(setting.lifecycle, self.amounts[place], **given)
        return Command(
            name,
            setting_of(self.commands).order,
            key=f"key-{place}",
            amount=None if name in WHOLE else self.amounts[place],
            parameters=MONTHLY if name == "update_consent" else {},
        )

    def _comes_later(self, point: int) -> list[WorldMove]:
        """What arrives, then what the consumer does, and then who wakes up."""
        order = setting_of(self.commands).order
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
            *(move for move in left if isinstance(move, TaskStep)),
        ]


def tasks(place):
    """The worker of a request, and who recovers after it."""
    return 3 + 2 * place, 4 + 2 * place


def of(task, moves):
    return [attrs.evolve(move, task=task) for move in moves]


def fates(place: int, operations: int) -> Iterator[Fate]:
    """All that can become of the request in `place`; its worker's next step is to send."""
    rest = (TaskStep(0),) * 4
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


def ways(commands: tuple[str, ...], who_looks: list[tuple[Look, ...]]) -> Iterator[Way]:
    """Every combination, with one amount and with different ones."""
    places = range(len(commands))
    alike = tuple(100 for _ in places)
    different = tuple(100 + 50 * place for place in places)
    of_each = [list(fates(place, len(commands))) for place in places]
    points = 2 * len(commands)
    consumers = [(), *combinations_with_replacement(range(points), 2)]
    for amounts, chosen, looked, consumer in product(
        (alike, different),
        product(*of_each),
        who_looks,
        consumers if commands[0] == "authorize" else [()],
    ):
        yield Way(commands, amounts, chosen, looked, consumer)


def violations(found: Iterator[Way]) -> Iterator[tuple[Way, Violation]]:
    """The ways that end wrong."""
    stage = memory_stage()
    for way in found:
        violation = replay(stage, way.story())
        if violation is not None:
            yield way, violation


ONE_TIME = ("update_authorization", "capture", "cancel", "refund")
RECURRING = ("update_consent", "terminate", *ONE_TIME)
PAIRS = sorted(
    {
        *product(("authorize", *ONE_TIME), ONE_TIME),
        *product(("authorize", *RECURRING), RECURRING),
    }
)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("commands", nargs="*", metavar="COMMAND,COMMAND,...")
    parser.add_argument("--pairs", action="store_true", help="any two commands")
    given = parser.parse_args()
    asked = [tuple(line.split(",")) for line in given.commands]
    any_wrong = False
    for commands in [*asked, *(PAIRS if given.pairs else ())]:
        every = list(ways(commands, looks(len(commands))))
        wrong = 0
        for way, violation in violations(every):
            wrong += 1
            print(f"{way}\n  {violation}", flush=True)  # noqa: T201
        line = f"{','.join(commands)}: {len(every):,} ways, {wrong:,} end wrong"
        print(line, flush=True)  # noqa: T201
        any_wrong = any_wrong or wrong > 0
    return 5 if any_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
