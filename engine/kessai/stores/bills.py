"""Bills and chunks in SQL, for all stores: memory keeps them in SQLite, too.

A chunk is a number of bills that one worker charges under one lease. Leases go by the
database's clock alone: of workers whose clocks differ, none takes the other's. What they
write, they write under their lease, so a worker that was stopped and goes on writes
nothing of what another has taken over. `Dialect` has the few
places where SQLite and PostgreSQL differ.
"""

# ruff: noqa: S608 - texts are put together from names in this module; values are sent apart

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from kessai import flow
from kessai.errors import InvalidInput, LeaseLost, VersionConflict
from kessai.stores.query import Query, Row, Steps, T

if TYPE_CHECKING:
    from kessai.flow import Bill, ChunkLease

_COLUMNS = {
    "agreement": "text",
    "period": "text",
    "charge": "text",
    "run": "text",
    "status": "text",
    "currency": "text",
    "amount": "bigint",
    "due_at": "timestamptz",
    "version": "bigint",
    "bill": "text",
}


class Dialect(NamedTuple):
    """What a database has its own words for."""

    now: str
    until: str
    left: str
    each: str
    member: Callable[[str, str], str]
    share: str
    moment: Callable[[datetime | None], Any]
    form: Callable[[dict[str, Any]], Steps[int | None]]


class BillTotal(NamedTuple):
    """How many bills of a run have a status, and the sum of their amounts."""

    status: str
    currency: str
    number: int
    amount: int


class Bills:
    """What a store keeps of billing: see each method of `BillStore`."""

    def __init__(
        self,
        dialect: Dialect,
        read: Callable[[Steps[Any]], Any],
        write: Callable[[Steps[Any]], Any],
    ) -> None:
        self._steps = _BillSteps(dialect)
        self._read, self._write = read, write

    def add(self, bills: Sequence[Bill]) -> list[Bill]:
        """See `BillStore.add`."""
        return self._written(self._steps.add(bills))

    def write(self, bill: Bill, lease: ChunkLease | None = None) -> None:
        """See `BillStore.write`."""
        self._written(self._steps.write(bill, lease))

    def standing(self, bills: Sequence[Bill]) -> list[Bill]:
        """See `BillStore.standing`."""
        return self._found(self._steps.standing(bills))

    def listed(self, run: str, after: tuple[str, str], limit: int) -> list[Bill]:
        """See `BillStore.listed`."""
        return self._found(self._steps.listed(run, after, limit))

    def totals(self, run: str) -> list[BillTotal]:
        """See `BillStore.totals`."""
        return self._found(self._steps.totals(run))

    def next_due(self, run: str) -> datetime | None:
        """See `BillStore.next_due`."""
        return self._found(self._steps.next_due(run))

    def form_chunk(self, run: str, now: datetime, size: int) -> int | None:
        """See `BillStore.form_chunk`."""
        return self._written(self._steps.form_chunk(run, now, size))

    def open_chunks(self, run: str, limit: int) -> list[int]:
        """See `BillStore.open_chunks`."""
        return self._found(self._steps.open_chunks(run, limit))

    def claim_chunk(
        self, chunk: int, owner: str, lease: timedelta
    ) -> ChunkLease | timedelta | None:
        """See `BillStore.claim_chunk`."""
        return self._written(self._steps.claim_chunk(chunk, owner, lease))

    def renew_chunk(self, held: ChunkLease, lease: timedelta) -> None:
        """See `BillStore.renew_chunk`."""
        self._written(self._steps.renew_chunk(held, lease))

    def bills_in(self, held: ChunkLease) -> list[Bill]:
        """See `BillStore.bills_in`."""
        return self._found(self._steps.bills_in(held))

    def release_chunk(self, held: ChunkLease) -> None:
        """See `BillStore.release_chunk`."""
        self._written(self._steps.release_chunk(held))

    def _found(self, step: Steps[T]) -> T:
        found: T = self._read(step)
        return found

    def _written(self, step: Steps[T]) -> T:
        written: T = self._write(step)
        return written


class AsyncBills:
    """The part of it that commands need, every method awaited."""

    def __init__(self, dialect: Dialect, write: Callable[[Steps[Any]], Any]) -> None:
        self._steps, self._write = _BillSteps(dialect), write

    async def add(self, bills: Sequence[Bill]) -> list[Bill]:
        """See `BillStore.add`."""
        found: list[Bill] = await self._write(self._steps.add(bills))
        return found

    async def write(self, bill: Bill, lease: ChunkLease | None = None) -> None:
        """See `BillStore.write`."""
        await self._write(self._steps.write(bill, lease))


class _BillSteps:
    """The same as queries out and rows in."""

    def __init__(self, dialect: Dialect) -> None:
        self._of = dialect
        asked = ", ".join(dialect.member(*column) for column in _COLUMNS.items())
        keys = ", ".join(dialect.member(key, "text") for key in ("agreement", "period"))
        self._add = (
            f"INSERT INTO kessai_bills ({', '.join(_COLUMNS)})"
            f" SELECT {asked} FROM {dialect.each} WHERE true"
            " ON CONFLICT DO NOTHING RETURNING agreement, period"
        )
        self._standing = (
            "SELECT bill FROM kessai_bills WHERE (agreement, period) IN"
            f" (SELECT {keys} FROM {dialect.each})"
        )
        changed = ", ".join(f"{name} = :{name}" for name in list(_COLUMNS)[2:])
        self._write = (
            f"UPDATE kessai_bills SET {changed}, chunk = NULL WHERE agreement = :agreement"
            " AND period = :period AND version = :version - 1{held} RETURNING version"
        )

    def add(self, bills: Sequence[Bill]) -> Steps[list[Bill]]:
        values = {"rows": _rows(bills, self._of)}
        new = yield Query(self._add, values, writes=True)
        if len(new) == len(bills):
            return []
        written = {(agreement, period) for agreement, period in new}
        others = [bill for bill in bills if _key(bill) not in written]
        found = yield from self.standing(others)
        if missing := {*map(_key, others)} - {*map(_key, found)}:
            named = [bill.charge for bill in others if _key(bill) in missing]
            message = f"{', '.join(named[:3])}: is the charge of another period already"
            raise InvalidInput(message)
        return found

    def standing(self, bills: Sequence[Bill]) -> Steps[list[Bill]]:
        rows = yield Query(self._standing, {"rows": _rows(bills, self._of)})
        return _read(rows)

    def write(self, bill: Bill, lease: ChunkLease | None) -> Steps[None]:
        values, text, held = _values(bill, self._of), self._write, ""
        if lease is not None:
            text = f"{_HELD.format(share=self._of.share)} {text}"
            held = " AND EXISTS (SELECT 1 FROM held)"
            values |= {"chunk": lease.chunk, "lease": lease.number}
        query = Query(
            text.format(held=held), values, writes=True, conflict=VersionConflict
        )
        if (yield query):
            return
        if lease is not None:
            yield from self._check(lease)
        message = f"the bill of {bill.agreement} for {bill.period} was written since"
        raise VersionConflict(message)

    def _check(self, lease: ChunkLease) -> Steps[None]:
        values = {"chunk": lease.chunk, "lease": lease.number}
        if not (yield Query(_HELD_NOW, values)):
            raise _lost(lease)

    def listed(self, run: str, after: tuple[str, str], limit: int) -> Steps[list[Bill]]:
        agreement, period = after
        values = {"run": run, "agreement": agreement, "period": period, "limit": limit}
        return _read((yield Query(_LISTED, values)))

    def totals(self, run: str) -> Steps[list[BillTotal]]:
        rows = yield Query(_TOTALS, {"run": run})
        return [BillTotal(*row) for row in rows]

    def next_due(self, run: str) -> Steps[datetime | None]:
        ((due_at,),) = yield Query(_NEXT_DUE, {"run": run})
        return datetime.fromisoformat(due_at) if isinstance(due_at, str) else due_at

    def form_chunk(self, run: str, now: datetime, size: int) -> Steps[int | None]:
        values = {"run": run, "now": self._of.moment(now), "size": size}
        return (yield from self._of.form(values))

    def open_chunks(self, run: str, limit: int) -> Steps[list[int]]:
        text = _OPEN_CHUNKS.format(now=self._of.now)
        rows = yield Query(text, {"run": run, "limit": limit})
        return [chunk for (chunk,) in rows]

    def claim_chunk(
        self, chunk: int, owner: str, lease: timedelta
    ) -> Steps[ChunkLease | timedelta | None]:
        text = _CLAIM.format(now=self._of.now, until=self._of.until)
        values = {"chunk": chunk, "owner": owner, "seconds": lease.total_seconds()}
        for (number,) in (yield Query(text, values, writes=True)):
            return flow.ChunkLease(chunk, number)
        text = _LEFT.format(left=self._of.left)
        for (left,) in (yield Query(text, {"chunk": chunk})):
            return timedelta(seconds=max(0.0, float(left or 0)))
        return None

    def renew_chunk(self, held: ChunkLease, lease: timedelta) -> Steps[None]:
        text = _RENEW.format(until=self._of.until)
        values = {"chunk": held.chunk, "lease": held.number}
        values["seconds"] = lease.total_seconds()  # type: ignore[assignment]
        if not (yield Query(text, values, writes=True)):
            raise _lost(held)

    def bills_in(self, held: ChunkLease) -> Steps[list[Bill]]:
        return _read((yield Query(_BILLS_IN, {"chunk": held.chunk})))

    def release_chunk(self, held: ChunkLease) -> Steps[None]:
        values = {"chunk": held.chunk, "lease": held.number}
        if not (yield Query(_RELEASE, values, writes=True)):
            raise _lost(held)


_HELD = "WITH held AS (SELECT 1 FROM kessai_chunks WHERE id = :chunk AND lease = :lease{share})"
_HELD_NOW = "SELECT 1 FROM kessai_chunks WHERE id = :chunk AND lease = :lease"

_LISTED = """
SELECT bill FROM kessai_bills WHERE run = :run AND (agreement, period) > (:agreement, :period)
ORDER BY agreement, period LIMIT :limit
"""

_TOTALS = """
SELECT status, coalesce(currency, ''), count(*), coalesce(CAST(sum(amount) AS bigint), 0)
FROM kessai_bills WHERE run = :run GROUP BY 1, 2 ORDER BY 1, 2
"""

_NEXT_DUE = (
    "SELECT min(due_at) FROM kessai_bills WHERE run = :run AND due_at IS NOT NULL"
)

_OPEN_CHUNKS = """
SELECT id FROM kessai_chunks WHERE run = :run AND is_done = 0
  AND (leased_until IS NULL OR leased_until <= {now})
ORDER BY id LIMIT :limit
"""

_CLAIM = """
UPDATE kessai_chunks SET lease = lease + 1, owner = :owner, leased_until = {until}
WHERE id = :chunk AND is_done = 0 AND (leased_until IS NULL OR leased_until <= {now})
RETURNING lease
"""

_LEFT = "SELECT {left} FROM kessai_chunks WHERE id = :chunk AND is_done = 0"

_RENEW = """
UPDATE kessai_chunks SET leased_until = {until} WHERE id = :chunk AND lease = :lease
RETURNING id
"""

_BILLS_IN = (
    "SELECT bill FROM kessai_bills WHERE chunk = :chunk ORDER BY agreement, period"
)

# Offered again at once if bills are left in it.
_RELEASE = """
UPDATE kessai_chunks SET leased_until = NULL, is_done = CASE WHEN EXISTS
  (SELECT 1 FROM kessai_bills WHERE chunk = :chunk) THEN 0 ELSE 1 END
WHERE id = :chunk AND lease = :lease RETURNING id
"""

_DUE = """
SELECT agreement, period FROM kessai_bills
WHERE run = :run AND chunk IS NULL AND due_at <= :now
ORDER BY due_at, agreement, period LIMIT :size
"""


def _formed_in_sqlite(values: dict[str, Any]) -> Steps[int | None]:
    """In the writer's own transaction, where nobody else writes."""
    first = {**values, "size": 1}
    made = f"INSERT INTO kessai_chunks (run) SELECT :run WHERE EXISTS ({_DUE}) RETURNING id"
    for (chunk,) in (yield Query(made, first)):
        moved = f"UPDATE kessai_bills SET chunk = :chunk WHERE (agreement, period) IN ({_DUE})"
        yield Query(moved, {**values, "chunk": chunk})
        return int(chunk)
    return None


_FORM = f"""
WITH due AS ({_DUE} FOR UPDATE SKIP LOCKED),
made AS (INSERT INTO kessai_chunks (run) SELECT :run::text WHERE EXISTS (SELECT 1 FROM due)
  RETURNING id)
UPDATE kessai_bills SET chunk = made.id FROM due, made
WHERE kessai_bills.agreement = due.agreement AND kessai_bills.period = due.period
RETURNING made.id
"""


def _formed_in_postgres(values: dict[str, Any]) -> Steps[int | None]:
    for (chunk,) in (yield Query(_FORM, values, writes=True)):
        return int(chunk)
    return None


def _text_of(at: datetime | None) -> str | None:
    from kessai.stores.sqlite_rows import moment  # it knows how SQLite has times

    return moment(at)


_SQLITE_NOW = "strftime('%Y-%m-%d %H:%M:%f', 'now'"

SQLITE = Dialect(
    now=f"{_SQLITE_NOW})",
    until=f"{_SQLITE_NOW}, :seconds || ' seconds')",
    left="(julianday(leased_until) - julianday('now')) * 86400.0",
    each="json_each(:rows)",
    member=lambda name, _: f"json_extract(value, '$.{name}')",
    share="",
    moment=_text_of,
    form=_formed_in_sqlite,
)

POSTGRES = Dialect(
    now="clock_timestamp()",
    until="clock_timestamp() + :seconds::float8 * interval '1 second'",
    left="extract(epoch FROM leased_until - clock_timestamp())::float8",
    each="jsonb_array_elements(:rows::text::jsonb) AS each (value)",
    member=lambda name, kind: f"(value ->> '{name}')::{kind}",
    share=" FOR SHARE",
    moment=lambda at: at,
    form=_formed_in_postgres,
)


def _values(bill: Bill, dialect: Dialect) -> dict[str, Any]:
    fields = {name: getattr(bill, name, None) for name in _COLUMNS}
    fields["period"] = bill.period.isoformat()
    fields["due_at"] = dialect.moment(bill.due_at)
    fields["bill"] = msgspec.json.encode(bill).decode()
    return fields


def _rows(bills: Sequence[Bill], dialect: Dialect) -> str:
    return msgspec.json.encode([_values(bill, dialect) for bill in bills]).decode()


def _key(bill: Bill) -> tuple[str, str]:
    return bill.agreement, bill.period.isoformat()


def _read(rows: list[Row]) -> list[Bill]:
    return [msgspec.json.decode(text, type=flow.Bill) for (text,) in rows]


def _lost(lease: ChunkLease) -> LeaseLost:
    return LeaseLost(f"chunk {lease.chunk}: lease {lease.number} is not the last one")
