"""What PostgreSQL is asked when something is written: queries out, rows in."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kessai.errors import LeaseLost, VersionConflict
from kessai.flow import Change, Lease, Recorded, RecoveryFailure
from kessai.machine import Record
from kessai.stores.encoding import encode_recorded, encode_transaction
from kessai.stores.postgres import statements
from kessai.stores.postgres.statements import (
    CLOSED,
    EVENTS,
    REFERENCES,
    REWRITTEN,
    Shape,
    append_statement,
)
from kessai.stores.query import Query, Row, Steps
from kessai.stores.schedule import encode_failure, lease_of

if TYPE_CHECKING:
    from kessai.spec import Lifecycle


def append(change: Change, declared: set[str]) -> Steps[None]:
    """`Store.append`; `declared` are hashes of lifecycle files known to be there."""
    new = change.declaration
    if new is not None and new.hash in declared:
        new = None
    opens, closes = _keys(change)
    events = [
        (each.number, each.body, each.hash, each.moved) for each in change.records
    ]
    rewritten = [(each.number, each.hash, each.body) for each in change.rewrites]
    closed = [(each.key, each.outcome, encode_recorded(each)) for each in closes]
    references = [(each.account, each.kind, each.id) for each in change.references]
    values = _transaction_values(change)
    values.update(EVENTS.values(events))
    values.update(REWRITTEN.values(rewritten))
    values.update(CLOSED.values(closed))
    values.update(REFERENCES.values(references))
    values |= _opened(opens) | _declared(new)
    shape = Shape(
        is_new=not change.expected_version,
        is_agreed=change.agreement is not None,
        is_leased=change.lease is not None,
        is_billed=change.bill is not None,
        removes=change.removes,
        opens=opens is not None,
        declares=new is not None,
        events=len(events),
        rewritten=len(rewritten),
        closed=len(closed),
        references=len(references),
    )
    text = append_statement(shape)
    rows = yield Query(text, values, writes=True, conflict=VersionConflict)
    if not rows:
        yield from _explain(change)
    if new is not None:
        declared.add(new.hash)


def _opened(opens: Recorded | None) -> dict[str, Any]:
    if opens is None:
        return {}
    return {
        "key": opens.key,
        "owner": opens.transaction,
        "outcome": opens.outcome,
        "recorded": encode_recorded(opens),
    }


def _declared(new: "Lifecycle | None") -> dict[str, Any]:
    if new is None:
        return {}
    return {"declared": new.hash, "name": new.name, "document": new.document}


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
    billed, period, bill_version = change.bill or (None, None, None)
    return {
        "id": after.id,
        "account": after.account,
        "lifecycle": after.lifecycle,
        "status": after.status,
        "version": after.version,
        "open_since": after.open_since,
        "discrepancies": len(after.discrepancies),
        "opened_at": after.opened_at,
        "changed_at": after.changed_at,
        "due_at": after.due_at,
        "state": encode_transaction(after),
        "expected": change.expected_version,
        "lease": None if change.lease is None else change.lease.number,
        "agreement": agreement,
        "agreed_version": agreed_version,
        "billed": billed,
        "period": None if period is None else period.isoformat(),
        "bill_version": bill_version,
    }


def _explain(change: Change) -> Steps[None]:
    """Say why nothing was written. It is read afterwards, so it may be over by now."""
    name, expected, lease = change.transaction.id, change.expected_version, change.lease
    agreement, agreed_version = change.agreement or (name, expected)
    rows = yield Query(statements.STANDING, {"id": name, "agreement": agreement})
    version, number = _standing(rows, name)
    moved = agreement != name and _standing(rows, agreement)[0] != agreed_version
    if (
        lease is not None
        and version == expected
        and number != lease.number
        and not moved
    ):
        message = f"{name}: lease {lease.number} is not the last one"
        raise LeaseLost(message)
    message = f"{name}: not at version {expected} any more"
    if version == expected and moved:
        message = f"{agreement}: not at version {agreed_version} any more"
    elif version == expected and change.bill is not None:
        billed, period, bill_version = change.bill
        message = (
            f"the bill of {billed} for {period}: not at version {bill_version} any more"
        )
    raise VersionConflict(message)


def _standing(rows: list[Row], name: str) -> tuple[int, int]:
    return next(((row[1], row[2]) for row in rows if row[0] == name), (0, 0))


def claim(
    now: datetime, until: datetime, accounts: Sequence[str]
) -> Steps[Lease | None]:
    """`Store.claim`."""
    asked = {"now": now, "until": until, "accounts": list(accounts)}
    rows = yield Query(statements.CLAIM, asked, writes=True)
    return lease_of(rows, until)


def release(
    lease: Lease, due_at: datetime, failure: RecoveryFailure | None
) -> Steps[None]:
    """`Store.release`."""
    values = {
        "id": lease.transaction,
        "lease": lease.number,
        "due_at": due_at,
        "attempts": lease.attempts + 1,
        "failure": encode_failure(failure),
    }
    yield Query(statements.RELEASE, values, writes=True)


def read_trail(row: Row) -> tuple[str, list[Record]]:
    """A row of `statements.TRAILS`."""
    name, *columns = row
    parts = zip(*columns, strict=True)
    return name, [Record(name, *part) for part in parts]
