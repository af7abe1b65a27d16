"""One PostgreSQL for all tests that need it, and a schema for each of them."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "stores" / "postgres"))


@pytest.fixture(scope="session")
def server():
    from pg.server import NoServer, running

    try:
        with running() as found:
            yield found
    except NoServer as error:
        pytest.skip(str(error))


@pytest.fixture
def url(server):
    with server.schema() as url:
        yield url
