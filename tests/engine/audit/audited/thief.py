"""Someone with the database's password: plain SQL, and the way events are hashed."""

import hashlib
import json
import sqlite3
from contextlib import closing
from functools import cached_property

import msgspec

from kessai import PostgresStore, SQLiteStore
from kessai.audit import verify


class Thief:
    """Someone with the database's password and plain SQL."""

    def __init__(self, path):
        self.path = path

    def run(self, sql, *values):
        with closing(sqlite3.connect(self.path, isolation_level=None)) as database:
            return database.execute(sql, values).fetchall()

    def rows(self, sql):
        """The rows, each a dictionary of its columns."""
        with closing(sqlite3.connect(self.path)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(sql)]

    def tables(self):
        found = self.run("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {name for (name,) in found}

    def open(self):
        return SQLiteStore(self.path)

    def close(self):
        """End what it keeps open."""

    def faults(self):
        """What the audit finds now."""
        with closing(self.open()) as store:
            report = verify(store)
        assert report.holds == (not report.faults.first)
        assert report.faults.count == len(report.faults.first)
        return [(f.transaction, f.number, f.code) for f in report.faults.first]

    def body(self, transaction, number):
        ((body,),) = self.run(
            "SELECT body FROM kessai_events WHERE transaction_id = ? AND number = ?",
            transaction,
            number,
        )
        return body

    def rewrite(self, transaction, number, body, *, rehash):
        self.run(
            "UPDATE kessai_events SET body = ? WHERE transaction_id = ? AND number = ?",
            body,
            transaction,
            number,
        )
        if rehash:
            self.run(
                "UPDATE kessai_events SET hash = ? WHERE transaction_id = ? AND number = ?",
                hashlib.sha256(body).hexdigest(),
                transaction,
                number,
            )

    def edit(self, transaction, number, old, new, *, rehash=False):
        body = self.body(transaction, number)
        assert old in body
        self.rewrite(transaction, number, body.replace(old, new), rehash=rehash)

    def edit_state(self, transaction, old, new):
        state = self._state(transaction)
        assert old in state
        self._keep(transaction, state.replace(old, new))

    def merge_into_state(self, transaction, members):
        """Add and change members; those of an object that stands there one by one.

        What columns of their own repeat is changed in them too.
        """
        state = json.loads(self._state(transaction))
        for name, value in members.items():
            is_object = isinstance(value, dict)
            state[name] = {**state[name], **value} if is_object else value
        self._keep(transaction, msgspec.json.encode(state))
        self.run(
            "UPDATE kessai_states SET lifecycle = ?, status = ?, discrepancies = ?"
            " WHERE id = ?",
            state["lifecycle"],
            " ".join(map(".".join, state["states"].items())),
            len(state.get("discrepancies", ())),
            transaction,
        )

    def _state(self, transaction):
        ((state,),) = self.run(
            "SELECT state FROM kessai_states WHERE id = ?", transaction
        )
        return state

    def _keep(self, transaction, state):
        self.run("UPDATE kessai_states SET state = ? WHERE id = ?", state, transaction)


class PostgresThief(Thief):
    """The same thief before PostgreSQL, on one connection; `path` is its URL."""

    @cached_property
    def _server(self):
        import psycopg

        return psycopg.connect(self.path, autocommit=True)

    def close(self):
        self._server.close()

    def run(self, sql, *values):
        done = self._server.execute(sql.replace("?", "%s"), values)
        return done.fetchall() if done.description else []

    def rows(self, sql):
        from psycopg.rows import dict_row

        with self._server.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(sql).fetchall()

    def put_back(self, contents):
        """Make the rows of all tables those that they were."""
        with self._server.transaction(), self._server.cursor() as cursor:
            for table, rows in contents.items():
                cursor.execute(f"DELETE FROM {table}")  # noqa: S608
                marks = ", ".join("%s" for _ in rows[0])
                cursor.executemany(
                    f"INSERT INTO {table} VALUES ({marks})",  # noqa: S608
                    [tuple(row.values()) for row in rows],
                )

    def tables(self):
        found = self.run(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        )
        return {name for (name,) in found}

    def open(self):
        return PostgresStore(self.path)


def faults(path):
    return Thief(path).faults()
