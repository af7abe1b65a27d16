"""The same refund, written by hand with the standard library alone: what to measure by.

It checks a balance, writes an intent, has the same adapter build and read the exchange,
and writes the outcome: two durable commits, a hash chain, a key that is used once. It
has one lifecycle in its `if`s, no reasons, no replay, no recovery.
"""

import hashlib
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kessai.gateway import Adapter, Call, Outcome, Reply, Request

SCHEMA = """
CREATE TABLE payment (id TEXT PRIMARY KEY, version INTEGER, state BLOB) STRICT;
CREATE TABLE event (
  payment TEXT, number INTEGER, body BLOB, hash TEXT, PRIMARY KEY (payment, number)
) STRICT;
CREATE TABLE used (key TEXT PRIMARY KEY, outcome TEXT, detail BLOB) STRICT;
"""


class ByHand:
    """Refunds of one captured payment, in a file or in memory."""

    def __init__(self, path: Path | str, adapter: Adapter, reply: Reply) -> None:
        self._adapter = adapter
        self._reply = reply
        self._db = sqlite3.connect(path, isolation_level=None)
        if path != ":memory:":
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(SCHEMA)
        state = {
            "state": "captured",
            "captured": 10**9,
            "refunded": 0,
            "refunding": 0,
            "head": "",
        }
        raw = json.dumps(state).encode()
        self._db.execute("INSERT INTO payment VALUES ('order-1', 0, ?)", (raw,))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def refund(self, key: str, amount: int) -> str:
        """Refund `amount` once under `key`."""
        used = self._db.execute("SELECT outcome FROM used WHERE key = ?", (key,))
        if (row := used.fetchone()) is not None:
            return str(row[0])
        version, raw = self._db.execute(
            "SELECT version, state FROM payment WHERE id = 'order-1'"
        ).fetchone()
        state = json.loads(raw)
        if (
            not 1
            <= amount
            <= state["captured"] - state["refunded"] - state["refunding"]
        ):
            return "denied"
        state["refunding"] += amount
        intent = {"kind": "begun", "command": "refund", "amount": amount, "key": key}
        self._write(version, state, intent, key, "begun")
        request, call = self._request(amount)
        evidence = self._adapter.evidence(call, self._send(request))
        state["refunding"] -= amount
        if evidence.outcome is Outcome.SUCCEEDED:
            state["refunded"] += amount
            left = state["captured"] - state["refunded"]
            state["state"] = "partially_refunded" if left else "refunded"
        outcome = {
            "kind": "reported",
            "outcome": evidence.outcome,
            "code": evidence.code,
            "exchange": evidence.exchange,
        }
        self._write(version + 1, state, outcome, key, evidence.outcome)
        return evidence.outcome.value

    def _request(self, amount: int) -> tuple[Request, Call]:
        call = Call(
            command="refund", transaction="order-1", lifecycle="one_time", amount=amount
        )
        return self._adapter.request(call), call

    def _send(self, request: Request) -> Reply:
        del request
        return self._reply

    def _write(
        self, version: int, state: dict[str, object], event: dict[str, object],
        key: str, outcome: str,
    ) -> None:  # fmt: skip
        event |= {"previous": state["head"], "at": datetime.now(UTC).isoformat()}  # noqa: TID251
        body = json.dumps(event, sort_keys=True, separators=(",", ":")).encode()
        state["head"] = hashlib.sha256(body).hexdigest()
        execute = self._db.execute
        execute("BEGIN IMMEDIATE")
        changed = execute(
            "UPDATE payment SET version = ?, state = ? WHERE id = 'order-1'"
            " AND version = ?",
            (version + 1, json.dumps(state).encode(), version),
        )
        assert changed.rowcount == 1
        execute(
            "INSERT INTO event VALUES ('order-1', ?, ?, ?)",
            (version + 1, body, state["head"]),
        )
        execute(
            "INSERT INTO used VALUES (?, ?, ?) ON CONFLICT (key)"
            " DO UPDATE SET outcome = excluded.outcome, detail = excluded.detail",
            (key, outcome, body),
        )
        execute("COMMIT")


@pytest.fixture
def by_hand() -> type[ByHand]:
    """The hand-written rival."""
    return ByHand
