"""Stores with real trails, and a thief for those in a file."""

import sys
from contextlib import closing
from pathlib import Path

import pytest

from kessai import MemoryStore, SQLiteStore

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "audit_report")]  # big_store


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    if request.param == "memory":
        yield MemoryStore()
        return
    store = SQLiteStore(tmp_path / "shop.db")
    yield store
    store.close()


@pytest.fixture
def shop(store):
    from audited.shop import opened

    return opened(store)


@pytest.fixture
def path(tmp_path):
    """See `audited.shop.filled`."""
    from audited.shop import filled

    path = tmp_path / "shop.db"
    filled(SQLiteStore(path)).engine.close()
    return path


@pytest.fixture
def thief(path):
    from audited.thief import Thief

    return Thief(path)


@pytest.fixture(
    params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)],
)
def thieves(request):
    """The thief before each kind of database, one after the other."""
    from audited.shop import filled
    from audited.thief import PostgresThief

    if request.param == "sqlite":
        yield request.getfixturevalue("thief")
        return
    with closing(PostgresThief(request.getfixturevalue("url"))) as thief:
        filled(thief.open()).engine.close()
        yield thief
