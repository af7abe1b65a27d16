"""From a URL to a store: three slashes are relative, four are absolute."""

import pytest

from kessai import MemoryStore, SQLiteStore, open_store
from kessai.errors import InvalidInput, StoreMissing


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """The path that a URL opens, below an empty current directory."""
    monkeypatch.chdir(tmp_path)

    def open_path(url):
        store = open_store(url)
        assert isinstance(store, SQLiteStore)
        store.close()
        assert store.path.exists()
        return str(store.path)

    return open_path


@pytest.mark.parametrize("url", ["memory:", ":memory:", "memory:/", "memory://"])
def test_memory_is_named_without_a_file(url):
    assert isinstance(open_store(url), MemoryStore)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("store.db", "store.db"),
        ("./store.db", "store.db"),
        ("a b.db", "a b.db"),
        ("100%.db", "100%.db"),
        ("a%20b.db", "a%20b.db"),
        ("a#b?c.db", "a#b?c.db"),
        ("店.db", "店.db"),
        ("sqlite:///store.db", "store.db"),
        ("sqlite:///a%20b.db", "a b.db"),
        ("sqlite:///a b.db", "a b.db"),
        ("sqlite:///100%25.db", "100%.db"),
        ("sqlite:///%E5%BA%97.db", "店.db"),
        ("sqlite:///a%3Fb%23c.db", "a?b#c.db"),
        ("SQLITE:///store.db", "store.db"),
    ],
)
def test_a_relative_path_is_below_the_current_directory(opened, url, path):
    assert opened(url) == path


def test_who_only_looks_makes_no_file(tmp_path):
    path = tmp_path / "store.db"
    with pytest.raises(StoreMissing, match="there is no store"):
        open_store(str(path), must_exist=True)
    assert not path.exists()
    open_store(str(path)).close()
    open_store(str(path), must_exist=True).close()


def test_an_absolute_path_is_absolute(opened, tmp_path):
    path = str(tmp_path / "store.db")
    assert opened(path) == path
    assert opened(f"sqlite:///{path}") == path


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sqlite://",
        "sqlite:///",
        "sqlite://host/store.db",
        "mysql://host/db",
        "http://host/store.db",
        "a\0b",
        "sqlite:///a%00b",
        "sqlite:///store.db?mode=ro",
        "sqlite:///store.db#part",
        "sqlite:store.db",
        "sqlite:/store.db",
    ],
)
def test_what_names_no_store_is_refused_and_makes_no_file(tmp_path, monkeypatch, url):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput, match="memory: or sqlite:///FILE"):
        open_store(url)
    assert list(tmp_path.iterdir()) == []
