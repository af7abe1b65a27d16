"""Both PostgreSQL stores pass the suite that every store must pass."""

import pytest

from kessai import PostgresStore
from kessai.testing import SharedStoreConformance


class _OnPostgres(SharedStoreConformance):
    @pytest.fixture(autouse=True)
    def _schema(self, url):
        self.url = url


class TestPostgresStore(_OnPostgres):
    def make_store(self, tmp_path):
        return PostgresStore(self.url)


@pytest.mark.slow  # the same statements, awaited: tests of asyncio show that
class TestAsyncPostgresStore(_OnPostgres):
    def make_store(self, tmp_path):
        from pg.waited import Waited

        return Waited(self.url)
