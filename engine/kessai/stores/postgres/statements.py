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
same in all: agreement, transaction, key, lifecycle file.
"""

# ruff: noqa: S608 - texts are put together from names in this module; values are sent apart

from functools import lru_cache

import attrs

from kessai.machine import DENIAL

_COLUMNS = {
    "account": "text",
    "lifecycle": "text",
    "status": "text",
    "version": "bigint",
    "open_since": "timestamptz",
    "discrepancies": "bigint",
    "due_at": "timestamptz",
    "state": "bytea",
}

LOAD = b"""
SELECT 0, recorded FROM answers WHERE key = %(key)s
UNION ALL SELECT 1, state FROM transactions WHERE id = %(transaction)s
UNION ALL SELECT 2, state FROM transactions WHERE id = %(agreement)s
"""

STANDING = b"""
SELECT id, version, lease FROM transactions WHERE id IN (%(id)s, %(agreement)s)
"""

RECORDS = b"""
SELECT transaction_id, number, body, hash FROM events
WHERE transaction_id = %(transaction)s ORDER BY number
"""

RECORDS_BUT_DENIALS = b"""
SELECT transaction_id, number, body, hash FROM events
WHERE transaction_id = %%(transaction)s
  AND position('\\x%b'::bytea IN body) = 0 ORDER BY number
""" % DENIAL.hex().encode()

FIND = b"""
SELECT transaction_id FROM gateway_ids
WHERE account = %(account)s AND kind = %(kind)s AND gateway_id = %(name)s
ORDER BY transaction_id
"""

# From one account to the next by the index: what has none is left out.
ACCOUNTS = b"""
WITH RECURSIVE found (account) AS (
  SELECT min(account) FROM transactions WHERE account > ''
  UNION ALL
  SELECT (SELECT min(account) FROM transactions WHERE account > found.account)
  FROM found WHERE account IS NOT NULL
) SELECT account FROM found WHERE account IS NOT NULL
"""

DECLARATION = b"SELECT document FROM lifecycles WHERE hash = %(hash)s"

OPEN = b"""
SELECT id FROM transactions WHERE due_at IS NOT NULL
ORDER BY open_since, id LIMIT %(limit)s
"""

UNRESOLVED = b"""
SELECT id FROM transactions WHERE discrepancies > 0
UNION SELECT id FROM transactions
WHERE due_at IS NOT NULL AND open_since <= %(open_before)s
ORDER BY id LIMIT %(limit)s
"""

# Of each account the first that is due, by its index; then the first of those. The row
# is locked in its newest version and asked again whether it is still due, so two claims
# never have the same; who finds it locked takes the next.
CLAIM = b"""
WITH due AS (
  SELECT first.id FROM unnest(%(accounts)s::text[]) AS asked,
  LATERAL (
    SELECT id, due_at FROM transactions
    WHERE account = asked AND due_at <= %(now)s
      AND (leased_until IS NULL OR leased_until <= %(now)s)
    ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
  ) AS first
  ORDER BY first.due_at, first.id LIMIT 1
)
UPDATE transactions SET lease = lease + 1, leased_until = %(until)s
FROM due WHERE transactions.id = due.id
RETURNING transactions.id, transactions.lease, transactions.attempts
"""

RELEASE = b"""
UPDATE transactions SET due_at = %(due_at)s, attempts = %(attempts)s,
  leased_until = NULL
WHERE id = %(id)s AND lease = %(lease)s AND due_at IS NOT NULL
"""

TRANSACTIONS = b"""
SELECT id, account, lifecycle, status, version, open_since, discrepancies,
  due_at, attempts, state
FROM transactions ORDER BY id
"""

# One row per trail, so that both shells read rows in the same way.
TRAILS = b"""
SELECT transaction_id, array_agg(number ORDER BY number),
  array_agg(body ORDER BY number), array_agg(hash ORDER BY number)
FROM events GROUP BY transaction_id ORDER BY transaction_id
"""


ANSWERS = b"""
SELECT transaction_id, key, outcome, recorded FROM answers
ORDER BY transaction_id, key
"""


@attrs.frozen(kw_only=True)
class AppendShape:
    """What an append holds, as far as its statement depends on it."""

    is_new: bool
    has_agreement: bool
    has_lease: bool
    records: int
    opens: bool
    closes: int
    declares: bool
    refers: int = 0


@lru_cache(maxsize=256)
def append_statement(shape: AppendShape) -> bytes:
    """The statement of an append: it gives a row if the transaction moved, else none.

    Its values are named: the columns of `transactions`, `id`, `expected`, `lease`,
    `agreement`, `agreed_version`; for each record `number_N`, `body_N`, `hash_N`; for
    the key that is opened `key`, `owner`, `outcome`, `recorded`; for each that is
    closed `key_N`, `outcome_N`, `recorded_N`; `declared`, `name`, `document`; for each
    id of the gateway `account_N`, `kind_N`, `gateway_id_N`.
    """
    parts = []
    if shape.has_agreement:
        parts.append(
            "agreed AS (SELECT 1 FROM transactions WHERE id = %(agreement)s"
            " AND version = %(agreed_version)s FOR SHARE)"
        )
    parts.append(_insert(shape) if shape.is_new else _update(shape))
    parts.append(_records(shape.records))
    if shape.opens:
        parts.append(_OPENED)
    if shape.closes:
        parts.append(_closed(shape.closes))
    if shape.declares:
        parts.append(_DECLARED)
    if shape.refers:
        parts.append(_referring(shape.refers))
    return ("WITH " + ",\n".join(parts) + "\nSELECT 1 FROM moved").encode()


_IS_AGREED = "EXISTS (SELECT 1 FROM agreed)"

_OPENED = (
    "opened AS (INSERT INTO answers (key, transaction_id, outcome, recorded)"
    " SELECT %(key)s::text, %(owner)s::text, %(outcome)s::text, %(recorded)b::bytea"
    " FROM moved)"
)

_DECLARED = (
    "declared AS (INSERT INTO lifecycles (hash, name, document)"
    " SELECT %(declared)s::text, %(name)s::text, %(document)b::bytea FROM moved"
    " ON CONFLICT (hash) DO NOTHING)"
)


def _insert(shape: AppendShape) -> str:
    columns = {**_COLUMNS, "id": "text"}
    values = ", ".join(_value(name, kind) for name, kind in columns.items())
    where = f" WHERE {_IS_AGREED}" if shape.has_agreement else ""
    return (
        f"moved AS (INSERT INTO transactions ({', '.join(columns)}) SELECT {values}"
        f"{where} ON CONFLICT (id) DO NOTHING RETURNING id)"
    )


def _update(shape: AppendShape) -> str:
    values = ", ".join(
        f"{name} = {_value(name, kind)}" for name, kind in _COLUMNS.items()
    )
    conditions = ["id = %(id)s", "version = %(expected)s"]
    if shape.has_lease:
        conditions.append("lease = %(lease)s")
    if shape.has_agreement:
        conditions.append(_IS_AGREED)
    return (
        f"moved AS (UPDATE transactions SET {values}, attempts = 0"
        f" WHERE {' AND '.join(conditions)} RETURNING id)"
    )


def _records(count: int) -> str:
    rows = _rows(count, {"number": "bigint", "body": "bytea", "hash": "text"})
    return (
        "written AS (INSERT INTO events (transaction_id, number, body, hash)"
        " SELECT moved.id, new.number, new.body, new.hash"
        f" FROM moved, (VALUES {rows}) AS new (number, body, hash))"
    )


def _closed(count: int) -> str:
    rows = _rows(count, {"key": "text", "outcome": "text", "recorded": "bytea"})
    return (
        "closed AS (UPDATE answers SET outcome = new.outcome, recorded = new.recorded"
        f" FROM moved, (VALUES {rows}) AS new (key, outcome, recorded)"
        " WHERE answers.key = new.key)"
    )


def _referring(count: int) -> str:
    rows = _rows(count, {"account": "text", "kind": "text", "gateway_id": "text"})
    return (
        "referring AS (INSERT INTO gateway_ids"
        " (account, kind, gateway_id, transaction_id)"
        " SELECT new.account, new.kind, new.gateway_id, moved.id"
        f" FROM moved, (VALUES {rows}) AS new (account, kind, gateway_id)"
        " ON CONFLICT DO NOTHING)"
    )


def _rows(count: int, columns: dict[str, str]) -> str:
    return ", ".join(
        f"({', '.join(_value(f'{n}_{row}', kind) for n, kind in columns.items())})"
        for row in range(count)
    )


def _value(name: str, kind: str) -> str:
    return f"%({name}){'b' if kind == 'bytea' else 's'}::{kind}"
