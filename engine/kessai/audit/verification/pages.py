"""A trail in pages, so that memory holds one of them, however long it is."""

from collections.abc import Iterable, Iterator, Sequence

from kessai.machine import Record
from kessai.stores import Store

Pages = Iterable[Sequence[Record]]

_NUMBERS = range(-(2**63), 2**63)
"""What a database takes as the number of an event, also where none was written by us."""


class StoredPages:
    """A trail as its store has it, read anew each time it is gone through."""

    def __init__(self, store: Store, transaction: str) -> None:
        self._store = store
        self._transaction = transaction

    def __iter__(self) -> Iterator[list[Record]]:
        first = _NUMBERS.start
        while first in _NUMBERS:
            page = self._store.records_from(self._transaction, first)
            if not page:
                return
            yield page
            first = page[-1].number + 1
