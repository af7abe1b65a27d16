"""All the moments of some stories at which a process can be struck, evenly chosen."""

from collections import Counter

import attrs

from breakage.aftermath import as_it_should_be
from breakage.hosts import Host, Job, calls_of
from breakage.story import story

FEWEST = 6
"""Two of each kind of story at least, so that every command is among them."""


@attrs.frozen
class Plan:
    """A story, what it comes to undisturbed, and how many moments it has by kind.

    `calls` are its system calls that reach a disk, in order.
    """

    story: object
    expected: object
    moments: dict
    calls: tuple


@attrs.frozen
class Point:
    plan: Plan
    kind: str
    number: int

    def __str__(self):
        return f"seed {self.plan.story.seed}, {self.kind} {self.number}"


def plans(seed, folder, wanted, kinds):
    """Plans from `seed` on, until they have as many moments of `kinds` as `wanted`."""
    found, moments = [], 0
    while len(found) < FEWEST or moments < wanted:
        stories = [story(seed + len(found) + number) for number in range(FEWEST)]
        for plan in _measured(stories, folder, kinds):
            found.append(plan)
            moments += sum(plan.moments.get(kind, 0) for kind in kinds)
    return found


def points(plans, wanted, kinds):
    """`wanted` of all moments of `kinds`, evenly spaced over everything that happens."""
    everything = [
        Point(plan, kind, number)
        for plan in plans
        for kind, count in plan.moments.items()
        if kind in kinds
        for number in range(1, count + 1)
    ]
    wanted = min(wanted, len(everything))
    return [everything[n * len(everything) // wanted] for n in range(wanted)]


def _measured(stories, folder, kinds):
    traces = set(kinds) != {"statement"}
    calls = calls_of(stories, folder) if traces else [()] * len(stories)
    with Host() as host:
        for each, counted in zip(stories, calls, strict=True):
            paths = [f"{folder}/{each.seed}-{kind}.db" for kind in ("sure", "count")]
            expected = as_it_should_be(each, paths[0])
            run = host.run(Job(path=paths[1], story=each))
            moments = {"statement": run.reports["statements"], **Counter(counted)}
            yield Plan(each, expected, moments, counted)
