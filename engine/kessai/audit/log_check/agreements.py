"""The positions of agreements, step by step, for the charges under them."""

from bisect import bisect_right
from datetime import datetime

from kessai.audit.log_check.entries import Entry, until_of
from kessai.audit.log_check.ordering import RowOrder
from kessai.machine import Transaction

Place = datetime | int


class AgreementPositions:
    """Agreements as they were after each row; `order` is that of the log's check."""

    def __init__(self, order: RowOrder) -> None:
        self._order = order
        self._steps: dict[str, list[tuple[Entry, Transaction]]] = {}
        self._places: dict[str, list[Place]] = {}
        self._older: set[str] = set()

    def note(self, name: str, entry: Entry, after: Transaction) -> None:
        """Remember the agreement `name` as it is after the row of `entry`."""
        self._steps.setdefault(name, []).append((entry, after))
        places = self._places.setdefault(name, [])
        if self._order.by_time:
            # Rows that overlap may stand in the file's order: none goes back.
            places.append(max([entry[0], *places[-1:]]))
        else:
            places.append(self._order.in_file(entry[2]))

    def note_older(self, name: str) -> None:
        """Remember that the log begins after the agreement `name` did."""
        self._older.add(name)

    def is_older(self, name: str) -> bool:
        """Whether nothing in the log says how the agreement `name` began."""
        return name in self._older or name not in self._steps

    def before(self, name: str, entry: Entry) -> Transaction | None:
        """The agreement just before the row of `entry`; None if it was not there yet."""
        steps = self._steps.get(name)
        if steps is None:
            return None
        in_file = self._order.in_file
        last = until_of(entry) if self._order.by_time else in_file(entry[2])
        index = bisect_right(self._places[name], last)
        while index and self._is_after(steps[index - 1][0], entry):
            index -= 1
        return steps[index - 1][1] if index else None

    def _is_after(self, step: Entry, entry: Entry) -> bool:
        if self._order.by_time and until_of(step) < entry[0]:
            return False
        is_later = self._order.in_file(step[2]) > self._order.in_file(entry[2])
        if not self._order.by_time or step[-1] or entry[-1]:
            return is_later
        return (step[0], step[1]) > (entry[0], entry[1]) or (
            (step[0], step[1]) == (entry[0], entry[1]) and is_later
        )
