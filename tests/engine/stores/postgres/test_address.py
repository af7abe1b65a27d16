"""From a URL to a server; and no password is ever told."""

import logging
import subprocess
import sys

import pytest

from kessai import PostgresStore, Transaction, open_store
from kessai.errors import InvalidInput, KessaiError, StoreFailed, StoreUnsuitable
from kessai.stores.postgres.server import server_at


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://", "postgresql:///"),
        ("postgres://localhost/shop", "postgresql://localhost/shop"),
        ("POSTGRESQL://localhost/shop", "postgresql://localhost/shop"),
        ("postgresql://me:word@db:6000/shop", "postgresql://db:6000/shop"),
        ("postgresql://me:a%40b%2Fc@db/shop", "postgresql://db/shop"),
        ("postgresql://a,b/shop", "postgresql://a,b/shop"),
        ("postgresql:///shop?host=/run/pg&password=word", "postgresql:///run/pg/shop"),
    ],
)
def test_a_server_is_named_without_its_user_and_password(url, name):
    server = server_at(url)
    assert server.name == name
    assert "word" not in repr(server)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:sec@ret@host/shop",
        "postgresql://me:sec/ret@host/shop",
        "postgresql://me:sec?ret@host/shop",
        "postgresql://me:sec:ret@[host/shop",
        "postgresql://me:secret@host:x/shop?what=ever",
        "postgresql://me:secret%@host/shop",
        "postgresql:secret",
        "postgres:secret",
    ],
)
def test_what_is_no_url_is_refused_and_not_quoted(url):
    with pytest.raises(InvalidInput) as caught:
        open_store(url)
    seen, error = "", caught.value
    while error is not None:
        seen, error = seen + str(error), error.__cause__
    assert "sec" not in seen
    assert "ret" not in seen


def test_what_the_url_says_of_a_connection_comes_first():
    assert "connect_timeout=10" in server_at("postgresql://db").conninfo
    assert (
        "connect_timeout=3" in server_at("postgresql://db?connect_timeout=3").conninfo
    )


def test_a_password_is_told_nowhere(own_server, caplog):
    """Not when it is right, not when it is wrong, and not by any part of it."""
    from pg.server import SECRET

    caplog.set_level(logging.DEBUG)
    logged = []
    right = own_server.url_with_password
    own_server.run("CREATE SCHEMA secretive AUTHORIZATION secretive")
    try:
        with_store = PostgresStore(right)
        logged.append(repr(with_store))
        with_store.close()
        with pytest.raises(KessaiError) as closed:
            with_store.load(None, "order-1", None)
        with pytest.raises(StoreFailed, match="authentication failed") as wrong:
            PostgresStore(right.replace("secretive:", "secretive:x"))
        logged += [_all(closed.value), _all(wrong.value), caplog.text]
    finally:
        own_server.run("DROP SCHEMA secretive CASCADE")
    for text in logged:
        for part in (SECRET, "p@ss", "p%40ss", "w?rd", "秘密"):
            assert part not in text


def _all(error):
    logged = ""
    while error is not None:
        logged, error = (
            f"{logged} {error!r} {error}",
            error.__cause__ or error.__context__,
        )
    return logged


def python(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_only_who_asks_for_it_imports_the_database_library():
    shown = "print(*(name for name in sys.modules if name.startswith('psycopg')))"
    assert python(f"import sys, kessai; {shown}") == "\n"
    assert "psycopg " in python(
        f"import sys; from kessai import PostgresStore; {shown}"
    )


@pytest.mark.parametrize("missing", ["psycopg", "psycopg_pool"])
def test_without_the_extra_the_error_names_it(monkeypatch, missing):
    for name in list(sys.modules):
        if name.startswith(("psycopg", "kessai.stores.postgres")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(StoreUnsuitable, match=r"pip install 'kessai\[postgres\]'"):
        open_store("postgresql://localhost/shop")


def test_a_module_that_has_no_such_name_says_so():
    import kessai

    assert kessai.Transaction is Transaction
    with pytest.raises(AttributeError, match="'kessai' has no attribute 'Postgres'"):
        kessai.Postgres  # noqa: B018 - looking is the test
    with pytest.raises(AttributeError, match=r"'kessai\.stores' has no attribute"):
        kessai.stores.Postgres  # noqa: B018 - looking is the test
