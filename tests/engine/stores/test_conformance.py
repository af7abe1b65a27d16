"""The stores that ship pass the suite that every store must pass."""

import pytest

from kessai import MemoryStore, SQLiteStore
from kessai.testing import SharedStoreConformance, StoreConformance


class TestMemoryStore(StoreConformance):
    def make_store(self, tmp_path):
        return MemoryStore()


class TestSQLiteStore(SharedStoreConformance):
    def make_store(self, tmp_path):
        return SQLiteStore(tmp_path / "store.db")


def test_the_suite_asks_for_a_store_to_test(tmp_path):
    with pytest.raises(NotImplementedError):
        StoreConformance().make_store(tmp_path)
