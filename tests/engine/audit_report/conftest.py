"""The busy shop's store, for tests that read it, and copies for those that spoil it."""

import sys
from pathlib import Path
from shutil import copy

import pytest

from kessai import MemoryStore, SQLiteStore
from kessai.shell import shipped_lifecycles

sys.path.insert(0, str(Path(__file__).parent))

from busy_shop import live, opened


@pytest.fixture(scope="session")
def busy_path(tmp_path_factory):
    """The file of that shop's store. To be read, not changed."""
    path = tmp_path_factory.mktemp("busy") / "shop.db"
    store = SQLiteStore(path)
    live(opened(store)).engine.close()
    store.close()
    return path


@pytest.fixture
def own_path(busy_path, tmp_path):
    """A copy to be changed."""
    return Path(copy(busy_path, tmp_path / "shop.db"))


@pytest.fixture
def busy(busy_path):
    store = SQLiteStore(busy_path)
    yield store
    store.close()


@pytest.fixture
def empty():
    return MemoryStore()


@pytest.fixture
def known():
    return shipped_lifecycles()
