"""`--db postgresql://…`, from the first command to the audit."""

import json
from pathlib import Path

import pytest

from kessai.cli.main import run_command

DATA = Path(__file__).parents[3] / "data"
COUNT = 100


@pytest.fixture
def kessai(capsys, monkeypatch, url, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KESSAI_DB", url)

    def run(*arguments):
        capsys.readouterr()
        code = run_command([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    yield run
    assert [path.name for path in tmp_path.iterdir()] == ["orders.jsonl"]


@pytest.fixture
def orders(tmp_path):
    lines = (DATA / "orders-1000.jsonl").read_text().splitlines()[:COUNT]
    path = tmp_path / "orders.jsonl"
    path.write_text("\n".join(lines))
    return path


def test_orders_are_run_looked_at_and_audited(kessai, orders):
    code, out, err = kessai("run", orders, "--json")
    assert code == 0, err
    assert "the emulator's orders end with this command" in err
    totals = json.loads(out)
    code, out, _ = kessai("run", orders, "--json")
    again = json.loads(out)
    assert code == 0
    for report in (totals, again):
        report.pop("seconds")
    assert again == totals
    code, out, err = kessai("tx", "list", "--json")
    assert code == 0, err
    code, out, err = kessai("audit", "verify", "--json")
    assert code == 0, err
    assert json.loads(out)["transactions"] > COUNT // 2


def test_who_looks_at_a_database_without_a_store_is_told_and_makes_none(kessai, orders):
    code, _, err = kessai("audit", "verify")
    assert code == 2
    assert "there is no store in this database" in err
    code, _, err = kessai("audit", "verify")
    assert "there is no store in this database" in err
