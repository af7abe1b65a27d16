"""Whose clock a run has: the file's at the emulator, the real one at a gateway."""

import json
from datetime import UTC, datetime

import pytest

from kessai_adapters.veritrans4g.local import LocalGateway

ORDER = {"transaction": "order"}
LONG_AGO = "2024-06-01T0{}:00:00Z"


@pytest.fixture
def orders(tmp_path):
    """An order of the past: authorized, and an hour later captured."""
    about = {**ORDER, "lifecycle": "one_time", "amount": 1000}
    lines = [
        {"at": LONG_AGO.format(1), "command": "authorize", "key": "a", **about},
        {"at": LONG_AGO.format(2), "command": "capture", "key": "c"} | ORDER,
    ]
    path = tmp_path / "orders.jsonl"
    path.write_text("\n".join(map(json.dumps, lines[:1])))
    return path, lines


@pytest.fixture
def gateway(monkeypatch, request):
    """A gateway outside of this process, which has the real time."""
    local = LocalGateway(approve=getattr(request, "param", "now"))
    with local.serve(port=0) as server:
        for name, value in local.environment(server.url).items():
            monkeypatch.setenv(name, value)
        yield ("--gateway", "veritrans4g")
    local.close()


def now():
    return datetime.now(UTC)  # noqa: TID251


def recorded(kessai):
    shown = kessai("tx", "show", "order", "--events", "--json").json
    times = {datetime.fromisoformat(event["at"]) for event in shown["events"]}
    return shown["states"]["payment"], times


def test_at_a_gateway_an_order_of_the_past_begins_now_and_does_not_expire(
    kessai, orders, gateway
):
    path, lines = orders
    began = now()
    assert kessai("run", path, *gateway).code == 0
    state, times = recorded(kessai)
    assert state == "authorized"
    assert all(began <= time <= now() for time in times)
    assert kessai("sweep", *gateway, "--json").json == {"moved": []}

    path.write_text("\n".join(map(json.dumps, lines)))
    assert kessai("run", path, *gateway, "--json").json["succeeded.capture"] == 1
    assert recorded(kessai)[0] == "captured"


def test_at_the_emulator_the_clock_is_the_files(kessai, orders):
    assert kessai("run", orders[0]).code == 0
    state, times = recorded(kessai)
    assert state == "authorized"
    assert {time.isoformat() for time in times} == {"2024-06-01T01:00:00+00:00"}
    assert len(kessai("sweep", "--json").json["moved"]) == 1


@pytest.mark.parametrize("gateway", ["ask"], indirect=True)
def test_what_is_open_at_one_gateway_is_not_looked_up_at_another(
    kessai, orders, gateway
):
    about = ("--lifecycle", "one_time", "--amount", 500)
    opened = kessai("tx", "do", "theirs", "authorize", *about, *gateway)
    assert opened.code == 4
    before = kessai("tx", "show", "theirs", "--events", "--json").json
    assert kessai("run", orders[0], "--gateway", "emulator").code == 0
    assert kessai("tx", "show", "theirs", "--events", "--json").json == before
    assert before["operations"]
