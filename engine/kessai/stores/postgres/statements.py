"""The SQL: an append is one statement, built for what the change holds.

Why one statement is enough under READ COMMITTED. `moved` finds the transaction's row as
it was when the statement began. If another session has changed it since, the UPDATE
waits for that session's end and puts its condition again to the row as it is then:
version and lease stand in that row, so of two that saw the same version one finds
nothing. An INSERT of a new id waits for another of the same id and then does nothing.
Everything else takes its rows FROM moved, so nothing is written when nothing moved.

The agreement stands in another row. FOR SHARE locks it, in its newest version, until
the commit: a session that ends the agreement waits, or has moved it before and is seen.
It is locked before the transaction's own row, and no append locks two other rows, so
two appends never wait for each other in a circle; if they did, one would fail (40P01).

A key that is taken is an error of the unique index, which waits for a session that is
just writing the same key: the whole statement is rolled back. The order of locks is the
same in all: agreement, bill, transaction, key, lifecycle file. Who writes a bill locks its
chunk before it, and nothing of these.
"""

# ruff: noqa: S608 - texts are put together from names in this module; values are sent apart

import re
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import attrs

from kessai.machine import DENIAL
from kessai.stores import reading
from kessai.stores.query import PAGE


@attrs.frozen(slots=False)
class NewRows:
    """Rows that an append gives to the server, as `new`, and what is done with them.

    Nearly always it is one, which is given as it is. Lists cost both sides more than all
    the rest of a statement: each is encoded by itself, and the server, which does not
    know how long they are, plans for many.
    """

    name: str
    columns: dict[str, str]
    part: str

    def text(self, count: int) -> str:
        """The part of the statement for so many; nothing for none."""
        names = {column: f":{self.name}_{column}" for column in self.columns}
        if count == 1:
            values = [f"{names[c]}::{kind} AS {c}" for c, kind in self.columns.items()]
            new = f"(SELECT {', '.join(values)}) AS new"
        else:
            lists = [f"{names[c]}::{kind}[]" for c, kind in self.columns.items()]
            new = f"unnest({', '.join(lists)}) AS new ({', '.join(self.columns)})"
        return self.part.format(new=new) if count else ""

    def values(self, rows: Sequence[Sequence[Any]]) -> Iterable[tuple[str, Any]]:
        """The values of `rows` as they are named there."""
        found = rows[0] if len(rows) == 1 else map(list, zip(*rows, strict=True))
        return zip(self._names, found, strict=True) if rows else ()

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(f"{self.name}_{column}" for column in self.columns)


EVENTS = NewRows(
    "event",
    {"number": "bigint", "body": "bytea", "hash": "text", "moved": "text"},
    "written AS (INSERT INTO kessai_events"
    " (transaction_id, number, body, hash, moved, position)"
    " SELECT moved.id, new.number, new.body, new.hash, new.moved, moved.position"
    " FROM moved, {new})",
)

REWRITTEN = NewRows(
    "rewritten",
    {"number": "bigint", "hash": "text", "body": "bytea"},
    "rewritten AS (UPDATE kessai_events SET body = new.body FROM moved, {new}"
    " WHERE kessai_events.transaction_id = moved.id"
    " AND kessai_events.number = new.number AND kessai_events.hash = new.hash)",
)

CLOSED = NewRows(
    "closed",
    {"key": "text", "outcome": "text", "recorded": "bytea"},
    "closed AS (UPDATE kessai_answers SET outcome = new.outcome, recorded = new.recorded"
    " FROM moved, {new} WHERE kessai_answers.key = new.key)",
)

REFERENCES = NewRows(
    "reference",
    {"account": "text", "kind": "text", "gateway_id": "text"},
    "referring AS (INSERT INTO kessai_gateway_ids"
    " (account, kind, gateway_id, transaction_id)"
    " SELECT new.account, new.kind, new.gateway_id, moved.id FROM moved, {new}"
    " ON CONFLICT DO NOTHING)",
)

_COLUMNS = {
    "account": "text",
    "lifecycle": "text",
    "status": "text",
    "version": "bigint",
    "open_since": "timestamptz",
    "discrepancies": "bigint",
    "opened_at": "timestamptz",
    "changed_at": "timestamptz",
    "due_at": "timestamptz",
    "state": "bytea",
}

STANDING = """
SELECT id, version, lease FROM kessai_states WHERE id IN (:id, :agreement)
"""

BUT_DENIALS = f"""
SELECT transaction_id, number, body, hash, moved FROM kessai_events
WHERE transaction_id = :transaction
  AND position('\\x{DENIAL.hex()}'::bytea IN body) = 0 ORDER BY number
"""

# Of each account the first that is due, by its index; then the first of those. The row
# is locked in its newest version and asked again whether it is still due, so two claims
# never have the same; who finds it locked takes the next.
CLAIM = """
WITH due AS (
  SELECT first.id FROM unnest(:accounts::text[]) AS asked,
  LATERAL (
    SELECT id, due_at FROM kessai_states
    WHERE account = asked AND due_at <= :now
      AND (leased_until IS NULL OR leased_until <= :now)
    ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
  ) AS first
  ORDER BY first.due_at, first.id LIMIT 1
)
UPDATE kessai_states SET lease = lease + 1, leased_until = :until
FROM due WHERE kessai_states.id = due.id
RETURNING kessai_states.id, kessai_states.lease, kessai_states.attempts,
  kessai_states.failure
"""

RELEASE = """
UPDATE kessai_states SET leased_until = NULL,
  due_at = CASE WHEN due_at IS NOT NULL THEN :due_at::timestamptz END,
  attempts = CASE WHEN due_at IS NOT NULL THEN :attempts::bigint ELSE 0 END,
  failure = CASE WHEN due_at IS NOT NULL THEN :failure::text END
WHERE id = :id AND lease = :lease
"""

# Python has no `infinity` and no year 10000: they must not stop a reader of all rows.
_FIRST, _LAST = "'0001-01-02'::timestamptz", "'9999-12-30'::timestamptz"
TRANSACTIONS = re.sub(
    "due_at|leased_until|open_since|opened_at|changed_at",
    rf"CASE WHEN \g<0> NOT BETWEEN {_FIRST} AND {_LAST} THEN {_LAST} ELSE \g<0> END",
    reading.TRANSACTIONS,
)

# What the catalog has that touches a table of ours, and no migration made. Our views are
# known by their marks (see the schema), unless the server has been replaced since.
FOREIGN = """
WITH ours AS (
  SELECT pg_class.oid, relname, relnamespace FROM pg_catalog.pg_class
  WHERE relname = ANY (:tables::text[]) AND pg_table_is_visible(pg_class.oid)
)
SELECT 'trigger', tgname::text, relname::text FROM pg_catalog.pg_trigger
JOIN ours ON tgrelid = ours.oid WHERE NOT tgisinternal
UNION SELECT 'policy', polname::text, relname::text FROM pg_catalog.pg_policy
JOIN ours ON polrelid = ours.oid
UNION SELECT
  CASE WHEN rulename = '_RETURN' THEN 'view' ELSE 'rule' END,
  CASE WHEN rulename = '_RETURN' THEN reader.relname ELSE rulename END::text,
  ours.relname::text
FROM pg_catalog.pg_rewrite
JOIN pg_catalog.pg_class AS reader ON reader.oid = ev_class
JOIN pg_catalog.pg_depend ON classid = 'pg_rewrite'::regclass
  AND objid = pg_rewrite.oid AND refclassid = 'pg_class'::regclass
JOIN ours ON refobjid = ours.oid
WHERE (ours.oid <> ev_class OR rulename <> '_RETURN')
  AND NOT (rulename = '_RETURN' AND reader.relnamespace = ours.relnamespace
    AND reader.relname IN ('kessai_transactions', 'kessai_movements')
    AND COALESCE(CASE
      WHEN obj_description(reader.oid, 'pg_class')
        ~ ('^' || current_setting('server_version_num')::int / 10000 || ' ')
      THEN split_part(obj_description(reader.oid, 'pg_class'), ' ', 2)
        = md5(pg_get_viewdef(reader.oid))
      ELSE obj_description(reader.oid, 'pg_class') ~ '^[0-9]+ [0-9a-f]{32}$'
    END, false))
ORDER BY 1, 2, 3
"""

# One row per page of a trail, so that both shells read rows in the same way.
TRAILS = f"""
SELECT transaction_id, array_agg(number ORDER BY number),
  array_agg(body ORDER BY number), array_agg(hash ORDER BY number),
  array_agg(moved ORDER BY number)
FROM kessai_events GROUP BY transaction_id, number / {PAGE}
ORDER BY transaction_id, number / {PAGE}
"""


class Shape(NamedTuple):
    """What an append does, as far as its statement depends on it: few are ever made.

    Of `events` and so on it is how many there are.
    """

    is_new: bool
    is_agreed: bool
    is_leased: bool
    is_billed: bool
    removes: bool
    opens: bool
    declares: bool
    events: int
    rewritten: int
    closed: int
    references: int


@lru_cache(maxsize=256)
def append_statement(shape: Shape) -> str:
    """The statement of an append: it gives a row if the transaction moved, else none.

    Its values are named as `appending` gives them.
    """
    parts = (
        _AGREED * shape.is_agreed,
        _BILLED * shape.is_billed,
        _insert(shape) if shape.is_new else _update(shape),
        EVENTS.text(shape.events),
        REWRITTEN.text(shape.rewritten),
        _REMOVED * shape.removes,
        _OPENED * shape.opens,
        CLOSED.text(shape.closed),
        _DECLARED * shape.declares,
        REFERENCES.text(shape.references),
    )
    return "WITH {}\nSELECT 1 FROM moved".format(",\n".join(filter(None, parts)))


_AGREED = (
    "agreed AS (SELECT 1 FROM kessai_states WHERE id = :agreement"
    " AND version = :agreed_version FOR SHARE)"
)

_IS_AGREED = "EXISTS (SELECT 1 FROM agreed)"

_BILLED = (
    "billed AS (SELECT 1 FROM kessai_bills WHERE agreement = :billed"
    " AND period = :period AND version = :bill_version FOR SHARE)"
)

_IS_BILLED = "EXISTS (SELECT 1 FROM billed)"

_REMOVED = (
    "removed AS (DELETE FROM kessai_events USING moved"
    " WHERE kessai_events.transaction_id = moved.id AND kessai_events.number < :version)"
)

_OPENED = (
    "opened AS (INSERT INTO kessai_answers (key, transaction_id, outcome, recorded)"
    " SELECT :key::text, :owner::text, :outcome::text, :recorded::bytea FROM moved)"
)

_DECLARED = (
    "declared AS (INSERT INTO kessai_lifecycles (hash, name, document)"
    " SELECT :declared::text, :name::text, :document::bytea FROM moved"
    " ON CONFLICT (hash) DO NOTHING)"
)


_VALUES = ", ".join(f":{name}::{kind}" for name, kind in _COLUMNS.items())
_CHANGED = ", ".join(f"{name} = :{name}::{kind}" for name, kind in _COLUMNS.items())


_POSITION = "pg_current_xact_id()::text::bigint"  # see `feeding`


def _insert(shape: Shape) -> str:
    conditions = [_IS_AGREED] * shape.is_agreed + [_IS_BILLED] * shape.is_billed
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return (
        f"moved AS (INSERT INTO kessai_states ({', '.join(_COLUMNS)}, id, position)"
        f" SELECT {_VALUES}, :id::text, {_POSITION}{where}"
        " ON CONFLICT (id) DO NOTHING RETURNING id, position)"
    )


def _update(shape: Shape) -> str:
    conditions = ["id = :id", "version = :expected"]
    if shape.is_leased:
        conditions.append("lease = :lease")
    if shape.is_agreed:
        conditions.append(_IS_AGREED)
    if shape.is_billed:
        conditions.append(_IS_BILLED)
    return (
        f"moved AS (UPDATE kessai_states SET {_CHANGED}, attempts = 0,"
        f" position = greatest({_POSITION}, position),"
        " failure = CASE WHEN :due_at::timestamptz IS NOT NULL THEN failure END"
        f" WHERE {' AND '.join(conditions)} RETURNING id, position)"
    )
