"""One server for all tests, a schema for each, and stores that are closed at the end."""

import sys
from pathlib import Path

import pytest

from kessai import PostgresStore

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "audit")]


@pytest.fixture(scope="session")
def server():
    from pg.server import NoServer, running

    try:
        with running() as found:
            yield found
    except NoServer as error:
        pytest.skip(str(error))


@pytest.fixture
def own_server(server):
    """A server that may be broken."""
    from pg.server import OwnServer

    if not isinstance(server, OwnServer):
        pytest.skip("a server that others named is not to be broken")
    return server


@pytest.fixture
def url(server):
    with server.schema() as url:
        yield url


@pytest.fixture
def proxy(url):
    """A wire to the server that can be cut; it has a URL of its own."""
    from pg.proxy import Proxy

    proxy = Proxy(url)
    yield proxy
    proxy.close()


@pytest.fixture
def postgres(url):
    """A maker of stores, which are closed at the end."""
    made = []

    def make(url=url, **options):
        made.append(PostgresStore(url, **options))
        return made[-1]

    yield make
    for store in made:
        store.close()
