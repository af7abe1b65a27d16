"""SQLite stores that are closed at the end."""

import pytest

from kessai import SQLiteStore


@pytest.fixture
def sqlite(tmp_path):
    """A maker of SQLite stores, which are closed at the end."""
    made = []

    def make(path=tmp_path / "store.db", **options):
        made.append(SQLiteStore(path, **options))
        return made[-1]

    yield make
    for store in made:
        store.close()
