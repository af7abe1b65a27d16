"""Stores with a mistake in them, to see that the tests would find it."""

from kessai import SQLiteStore


class IntentAfterTheCall(SQLiteStore):
    """Writes the intent only together with what came of it."""

    def __init__(self, path):
        super().__init__(path)
        self._held = []

    def append_each(self, changes):
        return [self._append_late(change) for change in changes]

    def _append_late(self, change):
        if change.opens is not None and change.opens.outcome == "begun":
            self._held.append(change)
            return None
        held, self._held = self._held, []
        for each in (*held, change):
            (error,) = super().append_each([each])
        return error


STORES = {"": SQLiteStore, "intent after the call": IntentAfterTheCall}
