"""Searches on PostgreSQL: an index can answer each, whatever the server thinks of sizes."""

from datetime import timedelta

import psycopg
import pytest

from kessai import PostgresStore, Search
from kessai.stores import searching
from kessai.stores.postgres.server import in_psycopg
from kessai.testing.store_kit.conformance import NOON, _fill

DAY = {"since": NOON, "until": NOON + timedelta(days=1)}


def raw(url):
    return psycopg.connect(url, cursor_factory=psycopg.RawCursor)


def plans(connection, asked):
    """The plan of each statement that a search makes, where scans are the last resort."""
    connection.execute("SET enable_seqscan = off")
    step, found, rows = searching.search(asked), [], None
    while True:
        try:
            query = next(step) if rows is None else step.send(rows)
        except StopIteration:
            return found
        text, values = in_psycopg(query)
        plan = connection.execute(b"EXPLAIN " + text, values).fetchall()
        found.append("\n".join(line for (line,) in plan))
        rows = connection.execute(text, values, binary=True).fetchall()


@pytest.mark.parametrize("by", ["changed", "opened"])
def test_no_search_must_scan_a_table(url, by):
    with PostgresStore(url) as store, raw(url) as connection:
        _fill(store)
        after = store.search(Search(by=by, limit=1)).cursor
        for asked in (
            {},
            {"states": ["captured", "authorized"], **DAY, "after": after},
            {"is_open": True},
            {"is_discrepant": True},
            {"reference": "r_1"},
            {"prefix": "order"},
        ):
            found = plans(connection, Search(by=by, **asked))
            assert found
            assert "Seq Scan" not in "\n".join(found), "\n\n".join(found)
