"""`Store.search` in SQL: which index serves what is asked, and the rows in order.

Transactions of one account, lifecycle and status stand together in an index, sorted by
their last change. There are few such groups, so they are found by jumping from one to
the next, and those asked for are read side by side: the newest 50 captured of two
accounts are twice 50 entries, of which 50 rows are read, however large the store is.

By their opening all stand in one index, which is written to but once a transaction: of
a period, those of other groups are passed over.

What is rare (open, with a discrepancy, with a reference) has an index of its own and is
sorted when it is read. Whatever no index knows, `Search.matches` looks for in the rows.
"""

# ruff: noqa: S608 - texts are put together from names in this module; values are sent apart

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from kessai.flow import Search, SearchResult
from kessai.flow.search import Position
from kessai.machine import Transaction
from kessai.stores.encoding import decode_transaction
from kessai.stores.protocol import StatusGroup
from kessai.stores.query import Query, Steps

MOST_READ = 1_000
"""So many rows are read at once where most of them do not match."""

SIDE_BY_SIDE = 100
"""So many groups are read in one statement: SQLite takes no more than 500."""

# From one group to the next: of the same lifecycle, else of the same account, else of
# another one. (SQLite would compare a row of three with the index by its first alone.)
_FIRST = """
SELECT id FROM kessai_states WHERE lifecycle <> ''{}
ORDER BY account, lifecycle, status LIMIT 1
"""

_NEXT = ", ".join(
    f"({_FIRST.format(condition)})"
    for condition in (
        " AND account = held.account AND lifecycle = held.lifecycle AND status > held.status",
        " AND account = held.account AND lifecycle > held.lifecycle",
        " AND account > held.account",
    )
)

_GROUPS = f"""
WITH RECURSIVE groups (account, lifecycle, status) AS (
  SELECT account, lifecycle, status FROM kessai_states WHERE id = ({_FIRST.format("")})
  UNION ALL
  SELECT one.account, one.lifecycle, one.status
  FROM groups AS held JOIN kessai_states AS one ON one.id = COALESCE({_NEXT})
) SELECT account, lifecycle, status FROM groups
"""

_COLUMNS = StatusGroup._fields

_GROUP = (
    "lifecycle <> '' AND account = :account_{0} AND lifecycle = :lifecycle_{0}"
    " AND status = :status_{0}"
)

# From one account and kind to the next, as few as there are, and into each for the id.
_REFERRED = """
id IN (
  WITH RECURSIVE owners (account) AS (
    SELECT min(account) FROM kessai_gateway_ids
    UNION ALL
    SELECT (SELECT min(account) FROM kessai_gateway_ids WHERE account > owners.account)
    FROM owners WHERE account IS NOT NULL
  ), kinds (account, kind) AS (
    SELECT account, (SELECT min(kind) FROM kessai_gateway_ids AS one
      WHERE one.account = owners.account)
    FROM owners WHERE account IS NOT NULL
    UNION ALL
    SELECT account, (SELECT min(kind) FROM kessai_gateway_ids AS one
      WHERE one.account = kinds.account AND one.kind > kinds.kind)
    FROM kinds WHERE kind IS NOT NULL
  )
  SELECT one.transaction_id FROM kinds JOIN kessai_gateway_ids AS one
    ON one.account = kinds.account AND one.kind = kinds.kind
  WHERE one.gateway_id = :reference
)
"""

Stored = Callable[[datetime], Any]
"""The form that a database has of a time."""


def search(asked: Search, stored: Stored = lambda at: at) -> Steps[SearchResult]:
    """`Store.search`."""
    parts = yield from _parts(asked)
    found: list[Transaction] = []
    after, size = asked.position, asked.limit + 1
    while parts:
        read: list[Transaction] = []
        for first in range(0, len(parts), SIDE_BY_SIDE):
            chosen = parts[first : first + SIDE_BY_SIDE]
            query = _query(asked, chosen, after, size, stored)
            read += [decode_transaction(state) for (state,) in (yield query)]
        read.sort(key=asked.of, reverse=asked.newest_first)
        found += filter(asked.matches, read[:size])
        if len(found) > asked.limit or len(read) < size:
            break
        after, size = asked.of(read[size - 1]), min(2 * size, MOST_READ)
    return asked.result(found)


def status_groups() -> Steps[list[StatusGroup]]:
    """`Store.status_groups`."""
    return [StatusGroup(*row) for row in (yield Query(_GROUPS))]


Part = tuple[str, Mapping[str, object]]
"""A condition that an index serves, and its values."""


def _parts(asked: Search) -> Steps[list[Part]]:
    """What is read side by side; all that matches is in one of them."""
    if rare := [*_rare(asked)]:
        return [(" AND ".join((*rare, "lifecycle <> ''")), _rare_values(asked))]
    held = yield from status_groups()
    groups = [group for group in held if asked.has_group(*group)]
    parts: list[Part] = [
        (
            _GROUP.format(number),
            {f"{n}_{number}": v for n, v in zip(_COLUMNS, group, strict=True)},
        )
        for number, group in enumerate(groups)
    ]
    if asked.by == "changed" or not parts:
        return parts
    if len(groups) == len(held):
        return [("opened_at IS NOT NULL", {})]
    # No index has both: a CASE keeps the database from sorting all of a group.
    either = " OR ".join(condition for condition, _ in parts)
    values = {name: v for _, own in parts for name, v in own.items()}
    return [(f"opened_at IS NOT NULL AND CASE WHEN {either} THEN 1 END = 1", values)]


def _rare(asked: Search) -> Iterator[str]:
    if asked.reference is not None:
        yield _REFERRED
    if asked.prefix is not None:
        yield "id >= :prefix AND id < :beyond"
    if asked.is_open:
        yield "due_at IS NOT NULL"
    if asked.is_discrepant:
        yield "discrepancies > 0"


def _rare_values(asked: Search) -> dict[str, object]:
    prefix = asked.prefix or ""
    return {
        "reference": asked.reference,
        "prefix": prefix,
        "beyond": prefix + "\U0010ffff",
    }


def _query(
    asked: Search,
    parts: list[Part],
    after: Position | None,
    size: int,
    stored: Stored,
) -> Query:
    """The first `size` rows of all `parts`, after that position."""
    at = f"{asked.by}_at"
    order = "DESC" if asked.newest_first else "ASC"
    bounds, values = _bounds(asked, at, after, stored)
    read = " UNION ALL ".join(
        f"SELECT * FROM (SELECT id, {at} FROM kessai_states"
        f" WHERE {condition}{bounds}"
        f" ORDER BY {at} {order}, id {order} LIMIT :size) AS part"
        for condition, _ in parts
    )
    text = (
        "SELECT state FROM kessai_states WHERE id IN"
        f" (SELECT id FROM ({read}) AS parts"
        f" ORDER BY {at} {order}, id {order} LIMIT :size)"
    )
    for _, own in parts:
        values |= own
    return Query(text, values | {"size": size})


def _bounds(
    asked: Search, at: str, after: Position | None, stored: Stored
) -> tuple[str, dict[str, object]]:
    """The period, begun after that position: SQLite uses one bound on each side."""
    values: dict[str, object] = {}
    is_low, is_high = asked.since is not None, asked.until is not None
    text = ""
    if after is not None:
        values["at"], values["after"] = stored(after[0]), after[1]
        text += f" AND ({at}, id) {'<' if asked.newest_first else '>'} (:at, :after)"
        is_low = is_low and asked.newest_first
        is_high = is_high and not asked.newest_first
    if is_low and asked.since is not None:
        values["since"] = stored(asked.since)
        text += f" AND {at} >= :since"
    if is_high and asked.until is not None:
        values["until"] = stored(asked.until)
        text += f" AND {at} < :until"
    return text, values
