"""One generator of random numbers a world, and the faults that may be injected."""

import random  # noqa: TID251 - a seed decides, and nothing else
from collections.abc import Iterable, Sequence
from typing import TypeVar

from kessai.simulator.faults import Fault
from kessai.simulator.slips import SLIPS
from kessai.spec.parameters import PLAINEST

T = TypeVar("T")

_SHARES = (1, 0.75, 0.25)
_SLIPS = 0.02


class Randomness:
    """All that is drawn for one world comes from here, and from its seed alone.

    No clock is wrong by more than `furthest` seconds, either way. Backups, adapters and
    sales have generators of their own, so that a world without them is as it is without that fault.
    """

    def __init__(self, seed: int, faults: Iterable[Fault], furthest: int) -> None:
        self.furthest = furthest
        self.rng = random.Random(f"kessai {seed}")  # noqa: S311 - no secret
        self.of_backups = random.Random(f"kessai backup {seed}")  # noqa: S311 - no secret
        self.of_adapters = random.Random(f"kessai adapter {seed}")  # noqa: S311 - no secret
        self.of_sales = random.Random(f"kessai sale {seed}")  # noqa: S311 - no secret
        self.faults = frozenset(faults)
        self._numbers = 0

    def happens(self, share: float) -> bool:
        """Whether something that happens in `share` of all cases happens now."""
        return self.rng.random() < share

    def injects(self, fault: Fault, share: float) -> bool:
        """Whether `fault` is injected now, if it is among those that may be."""
        return fault in self.faults and self.rng.random() < share

    def number(self) -> int:
        """The number of the next task."""
        self._numbers += 1
        return self._numbers

    def among(self, options: Sequence[T], /) -> T:
        """See `kessai.spec.parameters.Chooser`; so are the next three."""
        return self.rng.choice(options)

    def between(self, least: int, most: int, /) -> int:
        """A whole number between the two."""
        return self.rng.randint(least, most)

    def flag(self) -> bool:
        """Mostly on."""
        return self.happens(0.7)

    def text(self, least: int, most: int, /) -> str:
        """Always the same: what a text contains changes nothing here."""
        return PLAINEST.text(least, most)

    def account(self, accounts: Sequence[str], share: float) -> str | None:
        """The one account that somebody new knows; None: all, as in most processes."""
        if len(accounts) == 1 or not self.injects(Fault.ACCOUNT_UNKNOWN, share):
            return None
        return self.rng.choice(accounts)

    def slip(self) -> str | None:
        """What an adapter does wrong with a reply, if it does."""
        if Fault.ADAPTER_SLIPS not in self.faults or self.of_adapters.random() > _SLIPS:
            return None
        return self.of_adapters.choice(SLIPS)

    def skew(self) -> int:
        """By how many seconds the clock of somebody new is wrong: mostly by none."""
        if not self.injects(Fault.SKEWED_CLOCK, 0.05):
            return 0
        return self.rng.choice((-1, 1)) * round(
            self.rng.choice(_SHARES) * self.furthest
        )
