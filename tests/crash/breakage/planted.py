"""Stores with a mistake in them, to see that the tests would find it."""

from kessai import SQLiteStore


class IntentAfterTheCall(SQLiteStore):
    """Writes the intent only together with what came of it."""

    def __init__(self, path):
        super().__init__(path)
        self._held = None

    def append(self, change):
        if change.opens is not None and change.opens.outcome == "begun":
            self._held = change
            return
        if self._held is not None:
            super().append(self._held)
            self._held = None
        super().append(change)


STORES = {"": SQLiteStore, "intent after the call": IntentAfterTheCall}
