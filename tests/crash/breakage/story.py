"""Stories: what an order system, a consumer and the gateway do, one step after another.

Each seed gives one story, always the same. Every story is about one kind of lifecycle
and holds every command of it. Amounts are given throughout, so that a step means the
same whatever became of the one before.
"""

from datetime import timedelta
from random import Random  # noqa: TID251 - a seed gives one and the same run

import attrs

from kessai import Command

MONTHLY = {"unit": "Month", "value": 1}
DAILY = {"unit": "Day", "value": 3}
LOST = ("lose_reply", "lose_request", "http_500", "truncate", "pending")
"""What befalls a command so that a recovery or a notification has something to resolve."""

WIRE = {
    "authorize": "Authorize",
    "capture": "Capture",
    "cancel": "Cancel",
    "refund": "Refund",
    "update_authorization": "UpdateAuthorize",
    "reauthorize": "ReAuthorize",
    "update_consent": "UpdateConsent",
    "terminate": "Terminate",
}


@attrs.frozen
class Do:
    """Ask the engine for a command; `fault` is what befalls it at the gateway."""

    command: Command
    fault: str | None = None

    @property
    def name(self):
        return self.command.name


@attrs.frozen
class Approve:
    """The consumer approves an opening command."""

    order: str
    name = "approve"


@attrs.frozen
class Complete:
    """The gateway carries out what it had accepted."""

    order: str
    name = "complete"


@attrs.frozen
class Deliver:
    """The gateway delivers the notifications that nobody has answered yet."""

    name = "receive_notification"


@attrs.frozen
class Wait:
    """Time passes."""

    span: timedelta
    name = "wait"


@attrs.frozen
class Recover:
    name = "recover"


@attrs.frozen
class Sweep:
    order: str
    name = "sweep"


BEYOND = Wait(timedelta(hours=1))
"""Longer than any request can be on its way."""


@attrs.frozen
class Story:
    """The steps, and how often SQLite moves its log into the database while they run."""

    seed: int
    steps: tuple
    checkpoint_pages: int
    drives: str

    def named(self, step):
        """What a step does; None stands for none of them."""
        return "open or close" if step is None else self.steps[step].name


def story(seed):
    """The story of a seed."""
    random = Random(seed)  # noqa: S311 - a choice that can be made again
    teller = _Teller(random)
    write = (teller.one_time, teller.given_back, teller.agreement)[seed % 3]
    write()
    return Story(
        seed,
        tuple(teller.steps),
        checkpoint_pages=random.choice((5, 40, 1000)),
        drives=random.choice(("sync", "async")),
    )


class _Teller:
    def __init__(self, random):
        self.random = random
        self.steps = []
        self.keys = 0

    def one_time(self):
        """An order that is changed, captured in part or whole, and refunded to zero."""
        amount = self.random.randrange(2, 1000) * 10
        self._apply("o", "one_time", self.random.randrange(1, 5000))
        self._do("get_address", "o")
        self._do("update_authorization", "o", amount)
        captured = self.random.choice((amount, amount // 2, 1))
        self._do("capture", "o", captured)
        self._do("capture", "o", captured)  # denied
        self._refund("o", captured)

    def given_back(self):
        """One order is cancelled, one captured at once and refunded, one left to expire."""
        self._apply("c", "one_time", 700)
        self._do("cancel", "c", parameters={"reason": "在庫なし"})
        self._apply("p", "one_time", 300, with_capture=True)
        self._refund("p", 300)
        self._apply("x", "one_time", 50)
        self.steps += [Wait(timedelta(days=31)), Sweep("x")]

    def agreement(self):
        """A consent with charges under it, until it ends."""
        self._apply("r", "recurring", 1000, frequency=MONTHLY, consent_only=True)
        self._do("update_consent", "r", 900, parameters={"frequency": DAILY})
        self._do("reauthorize", "h", 400, lifecycle="charge", agreement="r")
        self._do("capture", "h", 250)
        self._refund("h", 250)
        self._do("get_address", "r", parameters={"details": True})
        self._do("terminate", "r")
        self._do("reauthorize", "i", 100, lifecycle="charge", agreement="r")  # denied

    def _apply(self, order, lifecycle, amount, **parameters):
        self._do("authorize", order, amount, lifecycle=lifecycle, parameters=parameters)
        self.steps += [Approve(order), Deliver()]

    def _refund(self, order, whole):
        parts = min(whole, self.random.randrange(1, 4))
        for part in range(parts):
            amount = whole // parts
            if part == parts - 1:
                amount = whole - amount * (parts - 1)
            self._do("refund", order, amount)

    def _do(self, name, order, amount=None, **fields):
        self.keys += 1
        command = Command(
            name, order, key=f"{order}-{self.keys}", amount=amount, **fields
        )
        can_be_lost = name in WIRE and name != "authorize"
        fault = None
        if can_be_lost and self.random.random() < 0.25:
            fault = self.random.choice(LOST)
        self.steps.append(Do(command, fault))
        if fault == "pending":
            self.steps += [Complete(order), Deliver()]
        if fault is not None:
            self.steps += [BEYOND, Recover()]
        elif self.random.random() < 0.2:
            self.steps += [Deliver()]
