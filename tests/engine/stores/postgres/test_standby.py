"""A standby is there to be read; what it knows may be old, so nothing is decided by it."""

import json

import pytest
from pg.shop import Shop

from kessai import Status
from kessai.cli.main import run_command
from kessai.errors import CommitUnknown, StoreFailed, StoreMissing, StoreUnsuitable
from kessai.testing.store_kit.conformance import Book

READ_ONLY = "%20-cdefault_transaction_read_only%3Don"


@pytest.fixture(scope="module")
def standby(server):
    from pg.server import OwnServer
    from pg.standby import following

    if not isinstance(server, OwnServer):
        pytest.skip("a server that others named has no standby here")
    with following(server) as standby:
        yield standby


@pytest.fixture
def there(server, standby, url):
    """The store's URL at the standby; what was committed before is there."""

    def at_the_standby():
        standby.catch_up()
        return url.replace(f":{server.port}/", f":{standby.port}/")

    return at_the_standby


def test_a_standby_is_read(postgres, opened, there):
    book = Book(postgres())
    book.end(book.begin())
    store = opened(there(), to_read=True)
    assert [name for name, _ in store.trails()] == ["order-1"]
    assert [found.id for found in store.transactions()] == ["order-1"]
    assert len(list(store.answers())) == 1
    assert len(store.records("order-1")) == 2


@pytest.mark.parametrize("must_exist", [False, True])
def test_a_standby_is_refused_for_deciding(postgres, opened, there, must_exist):
    Book(postgres()).begin()
    with pytest.raises(
        StoreUnsuitable, match=r"standby.*target_session_attrs=read-write"
    ):
        opened(there(), must_exist=must_exist)


def test_a_url_that_names_both_servers_finds_the_one_that_writes(
    server, standby, url, opened, there
):
    there()
    here = f"127.0.0.1:{server.port}"
    both = url.replace(here, f"127.0.0.1:{standby.port},{here}")
    Book(opened(f"{both}&target_session_attrs=read-write")).begin()


def test_a_server_that_writes_nothing_is_refused_for_deciding_and_read(
    postgres, opened, url
):
    Book(postgres()).begin()
    with pytest.raises(StoreUnsuitable, match="default_transaction_read_only is on"):
        opened(url + READ_ONLY)
    assert len(opened(url + READ_ONLY, to_read=True).records("order-1")) == 1


def test_what_is_opened_to_be_read_makes_no_tables(opened, url, there):
    for place in (url, there()):
        with pytest.raises(StoreMissing, match="there is no store"):
            opened(place, to_read=True)


def test_the_command_line_reads_a_standby_and_acts_on_none(
    postgres, there, capsys, tmp_path, monkeypatch
):
    shop = Shop(postgres())
    shop.authorized("order-1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KESSAI_DB", there())

    def kessai(*arguments):
        code = run_command(list(arguments))
        out, err = capsys.readouterr()
        return code, out, err

    for reading in (
        ["tx", "list", "--json"],
        ["tx", "show", "order-1", "--events", "--json"],
        ["tx", "can", "order-1", "--json"],
        ["audit", "verify", "--json"],
        ["audit", "report", "--json"],
        ["export", "movements"],
    ):
        code, out, err = kessai(*reading)
        assert code == 0, (reading, err)
        assert out, reading
    code, out, _ = kessai("tx", "do", "order-1", "capture", "--dry-run", "--json")
    assert (code, json.loads(out)["allowed"]) == (3, False)  # long expired
    found = ["--evidence", "the portal", "--actor", "sato"]
    for acting in (
        ["tx", "do", "order-1", "capture", "--key", "c"],
        ["tx", "resolve", "order-1", "order-1.1", "declined", *found],
        ["tx", "close", "order-1", "1", *found],
        ["recover"],
        ["reconcile"],
        ["sweep"],
    ):
        code, _, err = kessai(*acting, "--json")
        assert code == 2, acting
        assert "the server is a standby" in err, acting
    assert json.loads(kessai("tx", "list", "--json")[1])
    shop.close()


# ── a failover, seen by a store that is open ────────────────────────────────────────


@pytest.fixture
def promoted(server, standby, url):
    """A primary that becomes a standby when it is told to, and a primary again."""
    from pg.standby import following

    standby.catch_up()
    with following(server) as other:
        other.promote()
        other.url_of_the_store = url.replace(f":{server.port}/", f":{other.port}/")
        yield other


def test_a_primary_that_becomes_a_standby_refuses_writes_and_is_read_on(
    promoted, opened
):
    store = opened(promoted.url_of_the_store)
    book = Book(store)
    operation = book.begin()
    promoted.become_standby()
    with pytest.raises(StoreFailed, match="nothing was written, the server only reads"):
        store.append(book.ended(operation))
    assert len(store.records("order-1")) == 1
    promoted.promote()
    book.end(operation)
    assert len(store.records("order-1")) == 2


def test_a_failover_while_a_request_is_under_way_loses_no_outcome(promoted, postgres):
    shop = Shop(postgres(promoted.url_of_the_store))
    shop.authorized("order-1")

    def fail_over():
        shop.wire.meanwhile = None
        promoted.become_standby()

    shop.wire.meanwhile = fail_over
    with pytest.raises(CommitUnknown, match="the server only reads now"):
        shop.do("capture", "order-1", "order-1:c")
    with pytest.raises(StoreFailed, match="the server only reads now"):
        shop.do("authorize", "order-2", "2", lifecycle="one_time", amount=1)
    promoted.promote()
    shop.resolve()
    again = shop.do("capture", "order-1", "order-1:c")
    assert (again.status, again.is_recorded) == (Status.SUCCEEDED, True)
    assert shop.sent("order-1", "Capture") == 1
    shop.books_agree()
    shop.close()
