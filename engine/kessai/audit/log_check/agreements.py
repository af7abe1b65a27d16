"""The positions of agreements, step by step, for the charges under them."""

from bisect import bisect_right
from datetime import datetime

from kessai.machine import Transaction

LoggedAt = tuple[datetime | int, ...]


class AgreementPositions:
    """Agreements as they were after each row; `order` is that of the log's check."""

    def __init__(self, order: str) -> None:
        self._by_time = order == "time"
        self._steps: dict[str, tuple[list[LoggedAt], list[Transaction]]] = {}

    def note(self, name: str, at: datetime, line: int, after: Transaction) -> None:
        """Remember the agreement `name` as it is after the row of `line`."""
        places, states = self._steps.setdefault(name, ([], []))
        places.append(self._place(at, line))
        states.append(after)

    def before(self, name: str, at: datetime, line: int) -> Transaction | None:
        """The agreement just before the row of `line`; None if it was not there yet."""
        found = self._steps.get(name)
        if found is None:
            return None
        index = bisect_right(found[0], self._place(at, line))
        return found[1][index - 1] if index else None

    def _place(self, at: datetime, line: int) -> LoggedAt:
        return (at, line) if self._by_time else (line,)
