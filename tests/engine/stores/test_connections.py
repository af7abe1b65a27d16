"""The connections that a shop may begin a command on: SQLAlchemy's and Django's."""

import asyncio
from contextlib import nullcontext

import pytest
import sqlalchemy
from django.apps import apps
from django.conf import UserSettingsHolder, global_settings, settings
from django.db import transaction
from django.db.utils import ConnectionHandler
from shop_database import OnAServer
from sqlalchemy import orm, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from kessai import (
    AsyncEngine,
    AsyncPostgresStore,
    Command,
    Engine,
    Status,
)
from kessai.errors import InvalidInput, MustRollBack
from kessai_adapters.veritrans4g.local import LocalGateway

ORDER = text("INSERT INTO orders VALUES ('order-1')")


def asked(key="k"):
    return Command("authorize", "order-1", lifecycle="one_time", amount=100, key=key)


@pytest.fixture
def engine(database):
    gateway = LocalGateway()
    return Engine(
        adapters=[gateway.adapter], store=database.store, transport=gateway.transport
    )


@pytest.fixture
def sql(database):
    """SQLAlchemy's engine on the shop's database."""
    if database.kind == "sqlite":
        found = sqlalchemy.create_engine(f"sqlite:///{database.path}")
    else:
        found = sqlalchemy.create_engine(psycopg_of(database.theirs))
    yield found
    found.dispose()


def psycopg_of(url):
    return url.replace("postgresql://", "postgresql+psycopg://")


def carried_out(engine, database, prepared):
    assert database.orders() == ["order-1"]
    (operation,) = engine.transaction("order-1").operations.values()
    assert operation.phase == "prepared"
    return engine.carry_out(prepared).status in {Status.PENDING, Status.SUCCEEDED}


def nothing_is_left(database):
    return database.orders() == [] and list(database.store.transactions()) == []


# ── SQLAlchemy ──────────────────────────────────────────────────────────────────────


def test_a_core_connection(engine, database, sql):
    with sql.begin() as connection:
        connection.execute(ORDER)
        prepared = engine.begin(asked(), connection=connection)
    assert carried_out(engine, database, prepared)


def test_a_core_connection_that_commits_as_it_goes(engine, database, sql):
    with sql.connect() as connection:
        prepared = engine.begin(asked(), connection=connection)
        connection.execute(ORDER)
        connection.commit()
    assert carried_out(engine, database, prepared)


@pytest.mark.parametrize("first", ["order", "payment"])
def test_a_session_of_the_orm(engine, database, sql, first):
    with orm.Session(sql) as session, session.begin():
        if first == "order":
            session.execute(ORDER)
        prepared = engine.begin(asked(), connection=session)
        if first == "payment":
            session.execute(ORDER)
    assert carried_out(engine, database, prepared)


def test_a_session_that_a_thread_has_to_itself(engine, database, sql):
    session = orm.scoped_session(orm.sessionmaker(sql))
    session.execute(ORDER)
    prepared = engine.begin(asked(), connection=session)
    session.commit()
    session.remove()
    assert carried_out(engine, database, prepared)


def test_what_sqlalchemy_rolls_back_is_gone(engine, database, sql):
    with sql.connect() as connection:
        engine.begin(asked(), connection=connection)
        connection.execute(ORDER)
        connection.rollback()
    assert nothing_is_left(database)


def test_what_sqlalchemy_rolls_back_to_a_savepoint_is_gone(engine, database, sql):
    with orm.Session(sql) as session, session.begin():
        nested = session.begin_nested()
        session.execute(ORDER)
        engine.begin(asked(), connection=session)
        nested.rollback()
    assert nothing_is_left(database)


def test_a_connection_of_sqlalchemy_that_commits_each_statement_is_refused(
    engine, database, sql
):
    alone = sql.execution_options(isolation_level="AUTOCOMMIT")
    with alone.connect() as connection, pytest.raises(InvalidInput) as refused:
        engine.begin(asked(), connection=connection)
    assert "no transaction is open" in str(refused.value)
    assert nothing_is_left(database)


@pytest.mark.parametrize("kind", ["connection", "session"])
def test_sqlalchemy_for_asyncio(url, their_url, kind):
    database = OnAServer(url, their_url)
    gateway = LocalGateway()

    async def sell():
        store = await AsyncPostgresStore.open(url)
        parts = {"adapters": [gateway.adapter], "transport": gateway.async_transport}
        async with AsyncEngine(store=store, **parts) as engine:
            shop = create_async_engine(psycopg_of(their_url))
            if kind == "connection":
                async with shop.begin() as connection:
                    await connection.execute(ORDER)
                    prepared = await engine.begin(asked(), connection=connection)
            else:
                async with AsyncSession(shop) as session, session.begin():
                    prepared = await engine.begin(asked(), connection=session)
                    await session.execute(ORDER)
            async with shop.connect() as connection:
                await engine.begin(asked("other"), connection=connection)
            await shop.dispose()
            return await engine.carry_out(prepared)

    assert asyncio.run(sell()).status in {Status.PENDING, Status.SUCCEEDED}
    assert database.orders() == ["order-1"]
    assert len(list(database.store.trails())) == 1
    database.store.close()


def test_psycopg_for_asyncio(url, their_url):
    import psycopg

    database = OnAServer(url, their_url)
    gateway = LocalGateway()

    async def sell():
        store = await AsyncPostgresStore.open(url)
        parts = {"adapters": [gateway.adapter], "transport": gateway.async_transport}
        async with AsyncEngine(store=store, **parts) as engine:
            async with await psycopg.AsyncConnection.connect(their_url) as connection:
                await connection.execute(ORDER.text)
                prepared = await engine.begin(asked(), connection=connection)
            with (
                database.transaction() as waits,
                pytest.raises(InvalidInput) as refused,
            ):
                await engine.begin(asked(), connection=waits)
            assert "is no psycopg.AsyncConnection" in str(refused.value)
            async with await psycopg.AsyncConnection.connect(their_url) as failing:
                with pytest.raises(InvalidInput):
                    await engine.begin(
                        Command("pay", "one", key="p"), connection=failing
                    )
                assert failing.info.transaction_status.name == "IDLE"
                async with failing.pipeline():
                    with pytest.raises(InvalidInput, match="pipeline"):
                        await engine.begin(asked(), connection=failing)
            older = await psycopg.AsyncConnection.connect(their_url)
            await older.set_isolation_level(psycopg.IsolationLevel.SERIALIZABLE)
            async with older:
                await older.execute("SELECT * FROM orders")
                answer = await engine.carry_out(prepared)
                with pytest.raises(MustRollBack):
                    await engine.begin(
                        Command("cancel", "order-1", key="c"), connection=older
                    )
            return answer

    assert asyncio.run(sell()).status in {Status.PENDING, Status.SUCCEEDED}
    database.store.close()


# ── what is wrong with a connection ─────────────────────────────────────────────────


def test_a_session_for_asyncio_is_for_the_other_engine(engine):
    asking = AsyncSession(create_async_engine("postgresql+psycopg://"))
    with pytest.raises(InvalidInput, match=r"AsyncSession is for asyncio.*AsyncEngine"):
        engine.begin(asked(), connection=asking)


@pytest.fixture
def begun_on(url, their_url):
    """What is said where a command is begun on a connection that is prepared so."""
    import psycopg

    def begun(prepares, order="order-1"):
        store, gateway = OnAServer(url, their_url).store, LocalGateway()
        parts = {"adapters": [gateway.adapter], "transport": gateway.transport}
        about = {"lifecycle": "one_time", "amount": 100, "key": "k"}
        with (
            Engine(store=store, **parts) as engine,
            psycopg.connect(their_url) as connection,
            prepares(connection),
            pytest.raises(InvalidInput) as refused,
        ):
            engine.begin(Command("authorize", order, **about), connection=connection)
        return str(refused.value)

    return begun


def test_in_a_pipeline_nothing_is_begun(begun_on):
    said = begun_on(lambda connection: connection.pipeline())
    assert "begin outside of `with connection.pipeline()`" in said


def test_a_transaction_that_only_reads_is_told_from_a_server_that_does(begun_on):
    said = begun_on(lambda connection: connection.set_read_only(True) or nullcontext())
    assert "its transaction may only read" in said


def test_a_connection_that_has_not_all_characters_is_named_with_them(begun_on):
    def speaks_latin(connection):
        connection.execute("SET client_encoding TO latin1")
        return nullcontext()

    said = begun_on(speaks_latin, "注文-1")
    assert "client_encoding LATIN1" in said
    assert "UTF8 is right" in said


# ── Django ──────────────────────────────────────────────────────────────────────────


@pytest.fixture
def handled(database, monkeypatch):
    """Django's connection to the shop's database, with no settings but its defaults."""
    monkeypatch.setattr(apps, "ready", True)
    before = vars(settings)["_wrapped"]
    settings._wrapped = UserSettingsHolder(global_settings)
    if database.kind == "sqlite":
        named = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(database.path)}
    else:
        from psycopg.conninfo import conninfo_to_dict

        given = conninfo_to_dict(database.theirs)
        named = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": given.pop("dbname"),
            "OPTIONS": given,
        }
    found = ConnectionHandler({"default": named})["default"]
    yield found
    found.close()
    settings._wrapped = before


@pytest.fixture
def atomic(handled, monkeypatch):
    """`transaction.atomic()` on that connection."""
    monkeypatch.setattr(transaction, "get_connection", lambda using=None: handled)
    return transaction.atomic


def writes(connection):
    with connection.cursor() as cursor:
        cursor.execute(ORDER.text)


def test_a_connection_of_django(engine, database, handled, atomic):
    answers = []
    with atomic():
        writes(handled)
        prepared = engine.begin(asked(), connection=handled)
        transaction.on_commit(lambda: answers.append(engine.carry_out(prepared)))
        assert answers == []
    assert database.orders() == ["order-1"]
    assert [answer.is_recorded for answer in answers] == [False]


def test_what_django_rolls_back_is_gone(engine, database, handled, atomic):
    def sell():
        with atomic():
            writes(handled)
            engine.begin(asked(), connection=handled)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sell()
    with atomic(), pytest.raises(ZeroDivisionError):
        sell()  # to a savepoint
    assert nothing_is_left(database)


def test_a_connection_of_django_outside_of_a_transaction_is_refused(
    engine, database, handled, atomic
):
    with pytest.raises(InvalidInput, match="no transaction is open"):
        engine.begin(asked(), connection=handled)
    assert nothing_is_left(database)
