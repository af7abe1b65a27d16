"""Stores that do not warn about the SQLite they happen to run on."""

from pathlib import Path

import pytest

from kessai import SQLiteStore

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.filterwarnings("ignore::kessai.StoreWarning"))


@pytest.fixture
def sqlite(tmp_path):
    """A maker of SQLite stores, which are closed at the end."""
    made = []

    def make(path=tmp_path / "store.db"):
        made.append(SQLiteStore(path))
        return made[-1]

    yield make
    for store in made:
        store.close()
