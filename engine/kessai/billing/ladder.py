"""What follows a decline: another attempt after days, the consumer, or nothing. Pure.

A gateway's codes say why it declined, and only the merchant knows what they make of it.
So a ladder is declared; without one, what the gateway declined stops. What never reached
the gateway is tried again by itself: nobody has declined it.

    [again]
    codes = ["NH07*"]        # a card without funds, say
    after_days = [3, 7]      # the second attempt, the third; then it stops
    [ask]
    codes = ["NH06*"]        # only the consumer can help

No attempt begins while the one before is open: that is looked after until it has ended.
"""

import tomllib
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import attrs
import msgspec
from msgspec.structs import replace

from kessai.billing.plan import of_attempt
from kessai.errors import InvalidInput
from kessai.flow import Answer, Bill, Status
from kessai.flow.answer import OPEN
from kessai.flow.bills import answered
from kessai.flow.effects import PLANNED
from kessai.limits import LONGEST_PAUSE, LOOK_AFTER

ASK, STOP = "ask", "stop"
"""What would help of a declined bill: the consumer's other means, or nothing here."""

_DOUBLED = 10
"""Times: the pause has its full length by then."""


def _codes(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(given)


def _pauses(given: Iterable[timedelta]) -> tuple[timedelta, ...]:
    return tuple(given)


@attrs.frozen(kw_only=True)
class RetryLadder:
    """Codes that are tried `again` after pauses, and those where the consumer is to `ask`.

    A code is written whole, or ends with `*` for all that begin so. `after` has the
    pause before the second attempt, before the third, and so on.

    Raises:
        InvalidInput: a code stands in both, or a pause is none.

    """

    again: tuple[str, ...] = attrs.field(default=(), converter=_codes)
    after: tuple[timedelta, ...] = attrs.field(default=(), converter=_pauses)
    ask: tuple[str, ...] = attrs.field(default=(), converter=_codes)

    def __attrs_post_init__(self) -> None:
        if both := sorted({*self.again} & {*self.ask}):
            message = f"ladder: {', '.join(both)} cannot be tried again and asked about"
            raise InvalidInput(message)
        if any(pause <= timedelta(0) for pause in self.after):
            message = "ladder: an attempt follows after a day or more; 3, 7 is right"
            raise InvalidInput(message)
        if bool(self.again) != bool(self.after):
            message = "ladder: again needs codes, and the days after which"
            raise InvalidInput(message)

    def decide(self, bill: Bill, answer: Answer, now: datetime) -> Bill:
        """`bill` after the answer to its charge: see `Decide`."""
        attempts = bill.attempts + (bill.status == PLANNED)
        after = replace(answered(bill, answer), attempts=attempts, due_at=None)
        if answer.status in OPEN:
            return replace(after, due_at=now + LOOK_AFTER)
        if answer.status is not Status.DECLINED:
            return after
        if answer.may_send_again:
            doubled: timedelta = LOOK_AFTER * 2 ** min(attempts - 1, _DOUBLED)
            return _next(after, now + min(doubled, LONGEST_PAUSE))
        after = replace(after, declines=bill.declines + 1)
        if _has(self.again, after.reason) and bill.declines < len(self.after):
            return _next(after, now + self.after[bill.declines])
        return replace(after, remedy=ASK if _has(self.ask, after.reason) else STOP)


def _next(bill: Bill, due_at: datetime) -> Bill:
    """The next attempt, planned: another charge, as one that ended is never sent again."""
    again = of_attempt(bill, bill.period, bill.attempts + 1)
    return replace(again, status=PLANNED, due_at=due_at)


def _has(codes: Iterable[str], code: str) -> bool:
    return any(
        code.startswith(each[:-1]) if each.endswith("*") else code == each
        for each in codes
    )


class _AgainTable(msgspec.Struct, forbid_unknown_fields=True):
    codes: list[str]
    after_days: list[int]


class _AskTable(msgspec.Struct, forbid_unknown_fields=True):
    codes: list[str]


class _LadderFile(msgspec.Struct, forbid_unknown_fields=True):
    again: _AgainTable | None = None
    ask: _AskTable | None = None


def read_ladder(path: Path) -> RetryLadder:
    """The ladder that a TOML file declares: see this module.

    Raises:
        InvalidInput: it cannot be read; the message says what would be right.

    """
    try:
        read = msgspec.convert(tomllib.loads(path.read_text("utf-8")), _LadderFile)
    except (OSError, UnicodeError, tomllib.TOMLDecodeError, msgspec.MsgspecError) as e:
        reason = e.strerror if isinstance(e, OSError) else e
        message = (
            f"{path}: {reason}; [again] codes, after_days and [ask] codes are right"
        )
        raise InvalidInput(message) from None
    again, ask = read.again, read.ask
    return RetryLadder(
        again=() if again is None else again.codes,
        after=() if again is None else [timedelta(days=n) for n in again.after_days],
        ask=() if ask is None else ask.codes,
    )
