"""The stores that ship keep bills as every store that keeps them must."""

import pytest

from kessai import MemoryStore, SQLiteStore
from kessai.testing.store_kit.bills import BillConformance


class TestBillsInMemory(BillConformance):
    def make_store(self, tmp_path):
        return MemoryStore()


class TestBillsInSQLite(BillConformance):
    def make_store(self, tmp_path):
        return SQLiteStore(tmp_path / "store.db")


class TestBillsInPostgres(BillConformance):
    @pytest.fixture(autouse=True)
    def _schema(self, url):
        self.url = url

    def make_store(self, tmp_path):
        from kessai import PostgresStore

        return PostgresStore(self.url)
