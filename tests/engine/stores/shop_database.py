"""A shop's own database, with a table of orders, and kessai's tables beside it."""

import sqlite3
from contextlib import closing, contextmanager

from kessai import PostgresStore, SQLiteStore

ORDERS = "CREATE TABLE orders (id text PRIMARY KEY)"


class ShopDatabase:
    """One database; `store` is opened on it."""

    @contextmanager
    def transaction(self, **options):
        """A connection of the shop's, in a transaction that is committed, or rolled back."""
        with closing(self.connect(**options)) as connection:
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def orders(self):
        with closing(self.connect()) as connection:
            found = connection.execute("SELECT id FROM orders ORDER BY id").fetchall()
        return [name for (name,) in found]

    def orders_in(self, connection, name="order-1"):
        connection.execute(f"INSERT INTO orders VALUES ('{name}')")  # noqa: S608 - ours


class InAFile(ShopDatabase):
    kind = "sqlite"

    def __init__(self, path):
        self.path = path
        with self.transaction() as connection:
            connection.execute(ORDERS)
        self.store = SQLiteStore(path, shared=True)

    def connect(self):
        return sqlite3.connect(self.path, check_same_thread=False)


class OnAServer(ShopDatabase):
    """The shop's table stands in another schema than ours."""

    kind = "postgres"

    def __init__(self, url, theirs):
        self.url, self.theirs = url, theirs
        with self.transaction() as connection:
            connection.execute(ORDERS)
        self.store = PostgresStore(url)

    def connect(self, isolation=None):
        import psycopg

        connection = psycopg.connect(self.theirs)
        connection.isolation_level = isolation
        return connection
