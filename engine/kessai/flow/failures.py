"""What stopped a recovery, in words that may be kept and shown to anybody.

The text of an exception that is not kessai's own may hold a name or a secret. So only its
class is taken, and where it was raised: enough to find it in the adapter.
"""

import sys
from datetime import datetime
from typing import Annotated

import msgspec

from kessai.errors import KessaiError
from kessai.words import printable

LONGEST = 300
"""Characters of a text that is kept."""


class RecoveryFailure(msgspec.Struct, frozen=True):
    """The recovery of a transaction failed, `times` in a row, the last time `at`.

    `error` is what `stopped_by` gives; `at` is aware.
    """

    at: Annotated[datetime, msgspec.Meta(tz=True)]
    times: Annotated[int, msgspec.Meta(ge=1, le=10**9)]
    error: str

    @classmethod
    def after(
        cls, before: "RecoveryFailure | None", at: datetime, error: str
    ) -> "RecoveryFailure":
        """The failure that follows `before`."""
        return cls(at, before.times + 1 if before else 1, error)


def stopped_by(error: Exception) -> str:
    """The class of `error`, with kessai's own message or the place of any other."""
    from kessai.card_numbers import without_card_numbers  # only after a failure

    kind = type(error)
    if isinstance(error, KessaiError):
        text = f"{kind.__name__}: {error}"
    else:
        text = f"{kind.__module__}.{kind.__qualname__} in {_place(error)}"
    text = without_card_numbers(printable(text))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _place(error: Exception) -> str:
    """The module and line that raised `error`, or called Python's own that did."""
    from traceback import walk_tb  # only after a failure

    places = [
        (str(frame.f_globals.get("__name__")), line)
        for frame, line in walk_tb(error.__traceback__)
    ]
    others = [one for one in places if not _is_pythons(one[0])]
    module, line = (others or places or [("?", 0)])[-1]
    return f"{module}, line {line}"


def _is_pythons(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names
