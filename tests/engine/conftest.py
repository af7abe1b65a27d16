"""A shop's own databases, and stories of one transaction."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path += [str(HERE / part) for part in ("stores", "past")]


@pytest.fixture
def url(server):
    with server.schema() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, tmp_path):
    """A shop's own database, with kessai's tables beside its own."""
    from shop_database import InAFile, OnAServer

    if request.param == "sqlite":
        found = InAFile(tmp_path / "shop.db")
    else:
        urls = (request.getfixturevalue(name) for name in ("url", "their_url"))
        found = OnAServer(*urls)
    yield found
    found.store.close()


@pytest.fixture
def their_url(server):
    """The schema of a shop's own tables."""
    with server.schema() as url:
        yield url


@pytest.fixture(scope="session")
def story():
    """A maker of stories: `story("one_time", "authorize 1000, capture")`."""
    from one_transaction import Story

    return Story


@pytest.fixture(scope="session")
def now():
    from one_transaction import NOW

    return NOW
