"""Stores that are closed at the end, and a wire to their server that can be cut."""

import pytest

from kessai import PostgresStore


@pytest.fixture
def own_server(server):
    """A server that may be broken."""
    from pg.server import OwnServer

    if not isinstance(server, OwnServer):
        pytest.skip("a server that others named is not to be broken")
    return server


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


@pytest.fixture(params=["sync", "async"])
def opened(request):
    """A maker of stores of both kinds, which are closed at the end."""
    from pg.waited import Waited

    kind = PostgresStore if request.param == "sync" else Waited
    made = []

    def make(url, **options):
        made.append(kind(url, **options))
        return made[-1]

    yield make
    for store in made:
        store.close()
