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
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec

import msgspec

from kessai import flow
from kessai.errors import InvalidInput, LeaseLost, VersionConflict
from kessai.stores.query import Query, Row, Steps, T

if TYPE_CHECKING:
    from kessai.flow import Bill, ChunkLease

P = ParamSpec("P")

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


_Step = Callable[Concatenate["Bills", P], Steps[T]]
_Method = Callable[Concatenate["Bills", P], T]


def _reading(step: _Step[P, T]) -> _Method[P, T]:
    """A method that is a step, performed by what reads."""

    @wraps(step)
    def method(self: Bills, /, *given: P.args, **named: P.kwargs) -> T:
        found: T = self.perform_reading(step(self, *given, **named))
        return found

    return method


def _writing(step: _Step[P, T]) -> _Method[P, T]:
    """A method that is a step, performed by what writes."""

    @wraps(step)
    def method(self: Bills, /, *given: P.args, **named: P.kwargs) -> T:
        written: T = self.perform_writing(step(self, *given, **named))
        return written

    return method


class Bills:
    """What a store keeps of billing: see each method of `BillStore`.

    Where what performs its steps is asynchronous, its methods are to be awaited.
    """

    def __init__(
        self,
        dialect: Dialect,
        perform_reading: Callable[[Steps[Any]], Any],
        perform_writing: Callable[[Steps[Any]], Any],
    ) -> None:
        self.perform_reading = perform_reading
        self.perform_writing = perform_writing
        self._of = dialect
        asked = ", ".join(dialect.member(*column) for column in _COLUMNS.items())
        keys = ", ".join(dialect.member(key, "text") for key in ("agreement", "period"))
        self._insert = (
            f"INSERT INTO kessai_bills ({', '.join(_COLUMNS)})"
            f" SELECT {asked} FROM {dialect.each} WHERE true"
            " ON CONFLICT DO NOTHING RETURNING agreement, period"
        )
        self._find = (
            "SELECT bill FROM kessai_bills WHERE (agreement, period) IN"
            f" (SELECT {keys} FROM {dialect.each})"
        )
        changed = ", ".join(f"{name} = :{name}" for name in list(_COLUMNS)[2:])
        self._update = (
            f"UPDATE kessai_bills SET {changed}, chunk = NULL WHERE agreement = :agreement"
            " AND period = :period AND version = :version - 1{held} RETURNING version"
        )

    @_writing
    def add(self, bills: Sequence[Bill]) -> Steps[list[Bill]]:
        """See `BillStore.add`."""
        values = {"rows": _rows(bills, self._of)}
        new = yield Query(self._insert, values, writes=True)
        if len(new) == len(bills):
            return []
        written = {(agreement, period) for agreement, period in new}
        others = [bill for bill in bills if _key(bill) not in written]
        found = yield from self._standing(others)
        if missing := {*map(_key, others)} - {*map(_key, found)}:
            named = [bill.charge for bill in others if _key(bill) in missing]
            message = f"{', '.join(named[:3])}: is the charge of another period already"
            raise InvalidInput(message)
        return found

    @_reading
    def standing(self, bills: Sequence[Bill]) -> Steps[list[Bill]]:
        """See `BillStore.standing`."""
        return self._standing(bills)

    def _standing(self, bills: Sequence[Bill]) -> Steps[list[Bill]]:
        rows = yield Query(self._find, {"rows": _rows(bills, self._of)})
        return _read(rows)

    @_writing
    def write(self, bill: Bill, lease: ChunkLease | None = None) -> Steps[None]:
        """See `BillStore.write`."""
        values, text, held = _values(bill, self._of), self._update, ""
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

    @_reading
    def listed(self, run: str, after: tuple[str, str], limit: int) -> Steps[list[Bill]]:
        """See `BillStore.listed`."""
        agreement, period = after
        values = {"run": run, "agreement": agreement, "period": period, "limit": limit}
        return _read((yield Query(_LISTED, values)))

    @_reading
    def totals(self, run: str) -> Steps[list[BillTotal]]:
        """See `BillStore.totals`."""
        rows = yield Query(_TOTALS, {"run": run})
        return [BillTotal(*row) for row in rows]

    @_reading
    def next_due(self, run: str) -> Steps[datetime | None]:
        """See `BillStore.next_due`."""
        ((due_at,),) = yield Query(_NEXT_DUE, {"run": run})
        return datetime.fromisoformat(due_at) if isinstance(due_at, str) else due_at

    @_writing
    def form_chunk(self, run: str, now: datetime, size: int) -> Steps[int | None]:
        """See `BillStore.form_chunk`."""
        values = {"run": run, "now": self._of.moment(now), "size": size}
        return (yield from self._of.form(values))

    @_reading
    def open_chunks(self, run: str, limit: int) -> Steps[list[int]]:
        """See `BillStore.open_chunks`."""
        text = _OPEN_CHUNKS.format(now=self._of.now)
        rows = yield Query(text, {"run": run, "limit": limit})
        return [chunk for (chunk,) in rows]

    @_writing
    def claim_chunk(
        self, chunk: int, owner: str, lease: timedelta
    ) -> Steps[ChunkLease | timedelta | None]:
        """See `BillStore.claim_chunk`."""
        text = _CLAIM.format(now=self._of.now, until=self._of.until)
        values = {"chunk": chunk, "owner": owner, "seconds": lease.total_seconds()}
        for (number,) in (yield Query(text, values, writes=True)):
            return flow.ChunkLease(chunk, number)
        text = _LEFT.format(left=self._of.left)
        for (left,) in (yield Query(text, {"chunk": chunk})):
            return timedelta(seconds=max(0.0, float(left or 0)))
        return None

    @_writing
    def renew_chunk(self, held: ChunkLease, lease: timedelta) -> Steps[None]:
        """See `BillStore.renew_chunk`."""
        text = _RENEW.format(until=self._of.until)
        values = {"chunk": held.chunk, "lease": held.number}
        values["seconds"] = lease.total_seconds()  # type: ignore[assignment]
        if not (yield Query(text, values, writes=True)):
            raise _lost(held)

    @_reading
    def bills_in(self, held: ChunkLease) -> Steps[list[Bill]]:
        """See `BillStore.bills_in`."""
        return _read((yield Query(_BILLS_IN, {"chunk": held.chunk})))

    @_writing
    def release_chunk(self, held: ChunkLease) -> Steps[None]:
        """See `BillStore.release_chunk`."""
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
    # A julianday is exact to some 40 µs, and times here to a thousandth of a second.
    left="round((julianday(leased_until) - julianday('now')) * 86400.0, 3)",
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
