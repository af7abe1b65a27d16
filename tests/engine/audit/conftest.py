"""Stores with real trails, and a thief for those in a file."""

import sys
from pathlib import Path

import pytest

from kessai import MemoryStore, SQLiteStore

sys.path.insert(0, str(Path(__file__).parent))


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
    """A sale (five events) with two refunds of 300 (nine), another sale, a charge."""
    from audited.shop import opened

    path = tmp_path / "shop.db"
    store = SQLiteStore(path)
    shop = opened(store)
    shop.sells("A-1")
    shop.do("refund", "A-1", amount=300)
    shop.do("refund", "A-1", amount=300)
    shop.sells("A-2")
    shop.agrees()
    shop.charges()
    shop.engine.close()
    return path


@pytest.fixture
def thief(path):
    from audited.thief import Thief

    return Thief(path)
