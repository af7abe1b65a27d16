"""What each method of the store does, written once: queries out, rows in.

Nothing here waits, and nothing here knows whether the shell around it is synchronous.
"""

from datetime import datetime
from typing import Any

from kessai.errors import LeaseLost, VersionConflict
from kessai.flow import Change, Lease, Loaded, Recorded
from kessai.machine import Record, Transaction
from kessai.stores.encoding import (
    decode_recorded,
    decode_row,
    decode_transaction,
    encode_recorded,
    encode_transaction,
)
from kessai.stores.postgres import statements
from kessai.stores.postgres.query import Query, Row, Steps


def load(key: str | None, transaction: str, agreement: str | None) -> Steps[Loaded]:
    """`Store.load`: one statement, so one moment."""
    rows = yield Query(
        statements.LOAD,
        {"key": key, "transaction": transaction, "agreement": agreement},
    )
    found: dict[int, bytes] = dict(rows)
    recorded, own, other = (found.get(part) for part in range(3))
    return Loaded(
        None if recorded is None else decode_recorded(recorded),
        None if own is None else decode_transaction(own),
        None if other is None else decode_transaction(other),
    )


def append(change: Change, declared: set[str]) -> Steps[None]:
    """`Store.append`; `declared` are hashes of lifecycle files known to be there."""
    new = change.declaration
    if new is not None and new.hash in declared:
        new = None
    opens, closes = _keys(change)
    shape = statements.AppendShape(
        is_new=change.expected_version == 0,
        has_agreement=change.agreement is not None,
        has_lease=change.lease is not None,
        records=len(change.records),
        opens=opens is not None,
        closes=len(closes),
        declares=new is not None,
        refers=len(change.references),
    )
    values = _transaction_values(change)
    for number, record in enumerate(change.records):
        values[f"number_{number}"] = record.number
        values[f"body_{number}"] = record.body
        values[f"hash_{number}"] = record.hash
    if opens is not None:
        values |= _opened_values(opens)
    for number, closed in enumerate(closes):
        values[f"key_{number}"] = closed.key
        values[f"outcome_{number}"] = closed.outcome
        values[f"recorded_{number}"] = encode_recorded(closed)
    if new is not None:
        values |= {"declared": new.hash, "name": new.name, "document": new.document}
    values |= _reference_values(change)
    rows = yield Query(
        statements.append_statement(shape),
        values,
        writes=True,
        conflict=VersionConflict,
    )
    if not rows:
        yield from _explain(change)
    if new is not None:
        declared.add(new.hash)


def _keys(change: Change) -> tuple[Recorded | None, tuple[Recorded, ...]]:
    """What is opened and closed, where one statement would not see its own opening."""
    opens = change.opens
    if opens is None or not change.closes:
        return opens, change.closes
    for closed in change.closes:
        if closed.key == opens.key:
            opens = closed
    return opens, tuple(closed for closed in change.closes if closed.key != opens.key)


def _transaction_values(change: Change) -> dict[str, Any]:
    after = change.transaction
    agreement, agreed_version = change.agreement or (None, None)
    return {
        "id": after.id,
        "lifecycle": after.lifecycle,
        "status": after.status,
        "version": after.version,
        "open_since": after.open_since,
        "discrepancies": len(after.discrepancies),
        "due_at": after.due_at,
        "state": encode_transaction(after),
        "expected": change.expected_version,
        "lease": None if change.lease is None else change.lease.number,
        "agreement": agreement,
        "agreed_version": agreed_version,
    }


def _opened_values(opens: Recorded) -> dict[str, Any]:
    return {
        "key": opens.key,
        "owner": opens.transaction,
        "outcome": opens.outcome,
        "recorded": encode_recorded(opens),
    }


def _reference_values(change: Change) -> dict[str, str]:
    values: dict[str, str] = {}
    for number, reference in enumerate(change.references):
        values[f"account_{number}"] = reference.account
        values[f"kind_{number}"] = reference.kind
        values[f"gateway_id_{number}"] = reference.id
    return values


def _explain(change: Change) -> Steps[None]:
    """Say why nothing was written. It is read afterwards, so it may be over by now."""
    name, expected, lease = change.transaction.id, change.expected_version, change.lease
    agreement, agreed_version = change.agreement or (name, expected)
    rows = yield Query(statements.STANDING, {"id": name, "agreement": agreement})
    version, number = _standing(rows, name)
    if (
        lease is not None
        and version == expected
        and number != lease.number
        and (agreement == name or _standing(rows, agreement)[0] == agreed_version)
    ):
        message = f"{name}: lease {lease.number} is not the last one"
        raise LeaseLost(message)
    message = f"{name}: not at version {expected} any more"
    if version == expected:
        message = f"{agreement}: not at version {agreed_version} any more"
    raise VersionConflict(message)


def _standing(rows: list[Row], name: str) -> tuple[int, int]:
    return next(((row[1], row[2]) for row in rows if row[0] == name), (0, 0))


def records(transaction: str, *, denials: bool) -> Steps[list[Record]]:
    """`Store.records`."""
    query = statements.RECORDS if denials else statements.RECORDS_BUT_DENIALS
    rows = yield Query(query, {"transaction": transaction})
    return [Record(*row) for row in rows]


def declaration(lifecycle_hash: str) -> Steps[bytes | None]:
    """`Store.declaration`."""
    rows = yield Query(statements.DECLARATION, {"hash": lifecycle_hash})
    document: bytes | None = rows[0][0] if rows else None
    return document


def find(account: str, kind: str, name: str) -> Steps[list[str]]:
    """`Store.find`."""
    rows = yield Query(
        statements.FIND, {"account": account, "kind": kind, "name": name}
    )
    return [transaction for (transaction,) in rows]


def open_transactions(limit: int) -> Steps[list[str]]:
    """`Store.open_transactions`."""
    rows = yield Query(statements.OPEN, {"limit": limit})
    return [name for (name,) in rows]


def unresolved(open_before: datetime, limit: int) -> Steps[list[str]]:
    """`Store.unresolved`."""
    rows = yield Query(
        statements.UNRESOLVED, {"open_before": open_before, "limit": limit}
    )
    return [name for (name,) in rows]


def claim(now: datetime, until: datetime) -> Steps[Lease | None]:
    """`Store.claim`."""
    rows = yield Query(statements.CLAIM, {"now": now, "until": until}, writes=True)
    for name, number, attempts in rows:
        return Lease(transaction=name, number=number, attempts=attempts, until=until)
    return None


def release(lease: Lease, due_at: datetime) -> Steps[None]:
    """`Store.release`."""
    yield Query(
        statements.RELEASE,
        {
            "id": lease.transaction,
            "lease": lease.number,
            "attempts": lease.attempts + 1,
            "due_at": due_at,
        },
        writes=True,
    )


def read_transaction(row: Row) -> Transaction:
    """A row of `statements.TRANSACTIONS`.

    Raises:
        TrailBroken: the row does not hold.

    """
    return decode_row(row, _columns)


def _columns(transaction: Transaction) -> tuple[object, ...]:
    """What is kept beside the state, to find it by."""
    return (
        transaction.lifecycle,
        transaction.status,
        transaction.version,
        transaction.open_since,
        len(transaction.discrepancies),
    )


def read_trail(row: Row) -> tuple[str, list[Record]]:
    """A row of `statements.TRAILS`."""
    name, *columns = row
    parts = zip(*columns, strict=True)
    return name, [Record(name, number, body, digest) for number, body, digest in parts]
