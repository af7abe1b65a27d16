"""The tables are where the search path asks for them, or nothing is opened."""

from urllib.parse import unquote

import attrs
import pytest
from pg.lent import lent
from pg.server import with_options

from kessai.errors import StoreFailed, StoreMissing, StoreUnsuitable
from kessai.stores.postgres.place import names_of
from kessai.testing.store_kit.conformance import Book


@attrs.frozen
class Places:
    """Two schemas: ours has no tables, and another merchant's payments are in theirs."""

    server: object
    ours: str
    theirs: str

    def along(self, *names):
        """A URL with a search path."""
        return with_options(self.server.url, f"-csearch_path={','.join(names)}")

    def right(self, error):
        """A URL with the option that an error says is right."""
        return self.server.url + str(error).rpartition("(")[2].rstrip(")")

    def relations(self, schema):
        found = self.server.run("SELECT schemaname, tablename FROM pg_tables")
        return {name for place, name in found if place == schema}


def schema_of(url):
    return unquote(url).rpartition("=")[2]


@pytest.fixture
def places(server, url, postgres):
    with server.schema() as theirs:
        Book(postgres(theirs), "theirs-1").begin()
        yield Places(server, schema_of(url), schema_of(theirs))


@pytest.fixture
def role(own_server):
    """A user, whose name is to be in a URL."""
    own_server.run("CREATE ROLE merchant LOGIN")
    yield "merchant"
    own_server.run("DROP OWNED BY merchant", "DROP ROLE merchant")


def as_user(url, role):
    return url.replace("//kessai@", f"//{role}@")


def names(store):
    return [name for name, _ in store.trails()]


@pytest.mark.parametrize("must_exist", [False, True])
def test_a_misspelt_schema_does_not_lead_to_the_next_one(places, opened, must_exist):
    with pytest.raises(StoreUnsuitable) as refused:
        opened(places.along("shp", places.theirs), must_exist=must_exist)
    assert "asks for the schema shp, but there is no such schema" in str(refused.value)
    assert f"stand in {places.theirs}" in str(refused.value)
    assert names(opened(places.right(refused.value))) == ["theirs-1"]


def test_a_misspelt_schema_alone_is_refused_too(opened, places):
    with pytest.raises(StoreUnsuitable, match="there is no such schema: create it"):
        opened(places.along("shp"))


@pytest.mark.parametrize("must_exist", [False, True])
def test_a_schema_without_a_store_before_one_with_it_is_refused(
    places, opened, must_exist
):
    """Whether a new store is wanted or the other one, nobody can know."""
    with pytest.raises(
        StoreUnsuitable, match=f"{places.ours}, but it has no store"
    ) as refused:
        opened(places.along(places.ours, places.theirs), must_exist=must_exist)
    assert places.relations(places.ours) == set()
    assert names(opened(places.right(refused.value))) == ["theirs-1"]
    with pytest.raises(StoreMissing, match=f"no store in this database.*{places.ours}"):
        opened(places.along(places.ours), must_exist=True)
    assert names(opened(places.along(places.ours))) == []


def test_of_two_stores_the_one_that_is_asked_for_is_opened(opened, postgres, places):
    Book(postgres(places.along(places.ours)), "ours-1").begin()
    assert names(opened(places.along(places.ours, places.theirs))) == ["ours-1"]
    assert names(opened(places.along(places.theirs, places.ours))) == ["theirs-1"]


@pytest.mark.parametrize(
    "setting", ["ALTER ROLE merchant", "ALTER ROLE merchant IN DATABASE postgres"]
)
def test_a_search_path_of_the_user_or_the_database_is_held_to_the_same(
    own_server, opened, role, places, setting
):
    own_server.run(f"{setting} SET search_path = shp, {places.theirs}")
    own_server.run(f"GRANT USAGE ON SCHEMA {places.theirs} TO {role}")
    with pytest.raises(StoreUnsuitable, match=rf"shp, but .* stand in {places.theirs}"):
        opened(as_user(own_server.url, role))


def test_a_schema_that_the_user_may_not_use_is_not_passed_over(
    own_server, opened, places, role
):
    own_server.run(f"GRANT USAGE ON SCHEMA {places.theirs} TO {role}")
    url = as_user(places.along(places.ours, places.theirs), role)
    with pytest.raises(
        StoreUnsuitable, match=f"{places.ours}, but this user may not use it"
    ):
        opened(url)


def test_the_users_own_schema_counts_only_where_there_is_one(
    own_server, opened, places, role
):
    """PostgreSQL's own default is "$user", public."""
    own_server.run(f"GRANT USAGE ON SCHEMA {places.theirs} TO {role}")
    own_server.run(f"GRANT SELECT ON ALL TABLES IN SCHEMA {places.theirs} TO {role}")
    url = as_user(places.along('"$user"', places.theirs), role)
    assert names(opened(url)) == ["theirs-1"]
    own_server.run(f"CREATE SCHEMA {role} AUTHORIZATION {role}")
    with pytest.raises(StoreUnsuitable, match=f"schema {role}, but it has no store"):
        opened(url)


@pytest.mark.parametrize("path", ["", '""', "pg_catalog"])
def test_a_search_path_without_a_schema_is_refused(opened, places, path):
    with pytest.raises(StoreUnsuitable, match="has no schema"):
        opened(places.along(path))


@pytest.mark.parametrize("name", ["Shop", "my shop", 'a"b', "a,b", "店", "user"])
def test_a_name_that_needs_quotes_is_found_and_shown_with_them(places, opened, name):
    quoted = '"' + name.replace('"', '""') + '"'
    places.server.run(f"CREATE SCHEMA {quoted}")
    try:
        escaped = quoted.replace(" ", "\\ ")
        store = opened(places.along(escaped))
        Book(store).begin()
        assert names(store) == ["order-1"]
        assert "kessai_events" in places.relations(name)
        with pytest.raises(StoreUnsuitable) as refused:
            opened(places.along("shp", escaped))
        assert names(opened(places.right(refused.value))) == ["order-1"]
        store.close()
    finally:
        places.server.run(f"DROP SCHEMA {quoted} CASCADE")


def test_a_name_without_quotes_is_folded_as_postgresql_does():
    path = '"$user", Shop, "Sh""op", ÄB , "a, b",public'
    assert names_of(path, "me") == [
        ("me", False),
        ("shop", True),
        ('Sh"op', True),
        ("Äb", True),
        ("a, b", True),
        ("public", True),
    ]


@pytest.mark.parametrize(
    ("made", "what"),
    [
        ("VIEW kessai_events AS SELECT 1", "events is a view"),
        (
            "MATERIALIZED VIEW kessai_events AS SELECT 1",
            "events is a materialized view",
        ),
        (
            "TABLE kessai_events (n int) PARTITION BY LIST (n)",
            "events is a partitioned table",
        ),
        ("SEQUENCE kessai_events", "events is a sequence"),
        ("TYPE kessai_events AS (n int)", "events is a type"),
        (
            "UNLOGGED TABLE kessai_events (n int)",
            "events is unlogged, so a crash empties it",
        ),
    ],
)
def test_what_is_no_lasting_table_under_our_name_is_refused(places, opened, made, what):
    opened(places.along(places.ours))
    kind, rest = made.split("kessai_events")
    places.server.run(
        f"DROP TABLE {places.ours}.kessai_events CASCADE",
        f"CREATE {kind}{places.ours}.kessai_events{rest}",
    )
    with pytest.raises(StoreUnsuitable, match=what):
        opened(places.along(places.ours))


def test_a_store_with_a_table_missing_is_not_mended_but_refused(places, opened):
    opened(places.along(places.ours))
    places.server.run(f"DROP TABLE {places.ours}.kessai_answers")
    with pytest.raises(
        StoreUnsuitable, match="is not whole: kessai_answers is missing"
    ):
        opened(places.along(places.ours))


@pytest.mark.parametrize("reading", [lambda s: s.records("theirs-1"), names])
def test_a_schema_that_goes_while_the_store_is_open_leads_to_no_other(
    places, opened, postgres, reading
):
    Book(postgres(places.along(places.ours)), "ours-1").begin()
    store = opened(places.along(places.ours, places.theirs))
    places.server.run(f"ALTER SCHEMA {places.ours} RENAME TO {places.ours}_old")
    try:
        with pytest.raises(StoreFailed, match="does not exist"):
            reading(store)
        with pytest.raises(StoreFailed, match="does not exist"):
            Book(store, "ours-2").begin()
    finally:
        places.server.run(f"ALTER SCHEMA {places.ours}_old RENAME TO {places.ours}")
    assert len(store.records("ours-1")) == 1


def test_a_temporary_table_hides_none_of_ours(postgres, places):
    store = postgres(places.along(places.ours), connections=1)
    Book(store).begin()
    with lent(store) as connection:
        connection.execute("CREATE TEMPORARY TABLE kessai_events (what text)")
    assert len(store.records("order-1")) == 1
