"""Logs as text, checked in this process, and what was found in a word each."""

from pathlib import Path

import attrs
import pytest

from kessai import load_shipped
from kessai.audit.log_check import LogReading, check_log

DATA = Path(__file__).parents[2] / "data"


@attrs.frozen
class CheckedLog:
    """What was found, as tests compare it."""

    checked: object

    @property
    def findings(self):
        return self.checked.findings

    @property
    def violations(self):
        """`line command codes`, in the order of the file."""
        return [
            f"{v.line} {v.command} {' '.join(v.codes)}"
            for v in self.findings.in_file_order()
        ]

    @property
    def bad(self):
        """`code lines`, the most common first."""
        return [
            f"{rows.example.code} {' '.join(map(str, rows.lines))}"
            for rows in self.findings.most_common_bad()
        ]

    @property
    def notes(self):
        return [note.code for note in self.checked.notes]


def checked(path, lifecycles, **reading):
    loaded = [load_shipped(name) for name in lifecycles.split()]
    return CheckedLog(check_log(str(path), loaded, LogReading(**reading)))


@pytest.fixture
def check(tmp_path):
    """Check a log given as text: its rows, under the usual header unless another is given."""

    def run(
        text,
        lifecycles="one_time",
        header="order,command,time,amount",
        encoding="utf-8",
        **reading,
    ):
        path = tmp_path / "log.csv"
        whole = text if header is None else f"{header}\n{text}"
        path.write_bytes(whole.encode(encoding))
        return checked(path, lifecycles, **reading)

    return run


@pytest.fixture
def check_file():
    return checked


@pytest.fixture
def data():
    return DATA
