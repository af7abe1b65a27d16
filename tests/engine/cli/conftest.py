"""The command line, run in this process, and a small file of orders for it."""

import importlib.util
import json
import os
import pty
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import attrs
import pytest

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    """What a command makes beside itself is made there."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def naive():
    """The oracle: the rules, worked out without the engine."""
    path = Path(__file__).with_name("naive.py")
    spec = importlib.util.spec_from_file_location("naive", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def orders():
    """A thousand real orders."""
    return DATA / "orders-1000.jsonl"


@pytest.fixture
def expected():
    """What must come of the thousand orders."""
    return json.loads((DATA / "orders-1000.expected.json").read_text("utf-8"))


def line(at, command, transaction, key, **fields):
    """One line, at an hour of the first of June."""
    at = f"2024-06-01T{at:02d}:00:00Z"
    members = {"at": at, "command": command, "transaction": transaction, "key": key}
    return json.dumps(members | fields)


@pytest.fixture
def few(tmp_path):
    """Every kind of command the order files have, in ten lines."""
    monthly = {"unit": "Month", "value": 1}
    path = tmp_path / "few.jsonl"
    lines = [
        line(1, "authorize", "one", "k1", lifecycle="one_time", amount=1000),
        line(2, "authorize", "sub", "k2", lifecycle="recurring", amount=500)[:-1]
        + f', "frequency": {json.dumps(monthly)}}}',
        line(3, "capture", "one", "k3", amount=900),
        line(4, "reauthorize", "chg", "k4", agreement="sub", amount=300),
        line(5, "refund", "one", "k5", amount=100),
        line(6, "refund", "one", "k6", amount=100),
        line(7, "refund", "one", "k7", amount=5000),
        line(8, "cancel", "chg", "k8"),
        line(9, "terminate", "sub", "k9"),
        line(10, "reauthorize", "chg2", "k10", agreement="sub", amount=300),
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.fixture
def few_expected(few, naive):
    return naive.simulate(few.read_text("utf-8").splitlines())


@attrs.frozen
class Database:
    """What a run left on the disk: the engine's store, and the gateway's books."""

    path: Path

    def events(self):
        """Every event: its transaction, number and hash."""
        return self._rows(
            self.path, "SELECT transaction_id, number, hash FROM kessai_events"
        )

    def answers(self):
        return self._rows(self.path, "SELECT key, outcome FROM kessai_answers")

    def exchanges(self):
        """Every exchange that reached the gateway: order, command, result, amount."""
        orders = self._rows(Path(f"{self.path}.gateway"), "SELECT content FROM orders")
        return sorted(
            (order["order_id"], e["command"], e["result"], e["amount"])
            for order in (json.loads(content) for (content,) in orders)
            for e in order["exchanges"]
        )

    def forget(self):
        for path in self.path.parent.glob(f"{self.path.name}*"):
            path.unlink()

    def _rows(self, path, query):
        with closing(sqlite3.connect(path)) as connection:
            return sorted(connection.execute(query).fetchall())


@pytest.fixture
def database(tmp_path):
    return Database(tmp_path / "orders.db")


@attrs.frozen
class Terminal:
    """What a command wrote to the terminal that it had, and its exit code."""

    code: int
    seen: bytes


@pytest.fixture
def on_terminal():
    """Runs `kessai` with a terminal of 80 columns as its standard output, or error."""

    def on_terminal(*arguments, stream="stdout", cwd=None):
        mine, its = pty.openpty()
        streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(
            (sys.executable, "-m", "kessai", *arguments),
            **{**streams, stream: its},
            cwd=cwd,
            env=os.environ | {"TERM": "xterm", "LANG": "C.UTF-8", "COLUMNS": "80"},
        )
        os.close(its)
        seen = b""
        try:
            while part := os.read(mine, 4096):
                seen += part
        except OSError:  # how Linux reports that the other end is closed
            pass
        os.close(mine)
        return Terminal(process.wait(), seen)

    return on_terminal
