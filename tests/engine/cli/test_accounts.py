"""Nobody guesses whose payments these are: stores and gateways that do not fit.

A shop has captured a payment at its live gateway, and the reply was lost. Whoever now
forgets `--gateway` would look it up at the emulator, which knows nothing of it.
"""

import json
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from kessai import Command, Engine, SQLiteStore
from kessai_adapters.veritrans4g.local import LocalGateway

LIVE, TEST = "veritrans4g/0123456789ab/live", "emulator/local"
AN_HOUR_AGO = datetime.now(UTC) - timedelta(hours=1)  # noqa: TID251
AN_ORDER = ("authorize", "--lifecycle", "one_time", "--amount", 700)


@pytest.fixture
def live(tmp_path):
    """A store with an order of the live gateway's, whose capture has no answer."""
    local = LocalGateway(clock=lambda: AN_HOUR_AGO)
    engine = Engine(
        adapters=[attrs.evolve(local.adapter, account=LIVE)],
        store=SQLiteStore(tmp_path / "kessai.db"),
        transport=local.transport,
        clock=lambda: AN_HOUR_AGO,
    )
    with engine:
        about = {"lifecycle": "one_time", "amount": 1000}
        engine.execute(Command("authorize", "order", key="a", **about))
        engine.recover_transaction("order")
        local.emulator.misbehave("lose_reply", command="Capture")
        assert engine.execute(Command("capture", "order", key="c")).status == "unknown"
    local.close()


def shown(kessai):
    return json.loads(kessai("tx", "show", "order", "--events", "--json").out)


@pytest.mark.parametrize("named", [(), ("--gateway", "emulator")])
@pytest.mark.parametrize(
    "asked",
    [
        ("recover",),
        ("reconcile",),
        ("reconcile", "--dry-run"),
        ("reconcile", "order"),
        ("sweep",),
        ("tx", "do", "order", "refund"),
        ("tx", "do", "order", *AN_ORDER),
    ],
)
def test_nothing_of_the_live_gateway_is_looked_up_at_the_emulator(
    kessai, live, asked, named
):
    before = shown(kessai)
    refused = kessai(*asked, *named, "--lang", "en")
    assert refused.code == 2
    assert LIVE in refused.err
    assert "--gateway veritrans4g" in refused.err
    assert "Nothing was done" in refused.err
    assert shown(kessai) == before


def test_it_is_refused_in_japanese_too(kessai, live):
    refused = kessai("recover", "--lang", "ja")
    assert f"このストアにあるのは {LIVE} の取引で" in refused.err
    assert "--gateway veritrans4g" in refused.err


def test_a_new_order_goes_to_the_emulator_only_if_that_is_said(kessai, live):
    forgotten = kessai("tx", "do", "new", *AN_ORDER, "--lang", "en")
    assert forgotten.code == 2
    assert f"no gateway is named, and the store holds transactions of {LIVE}" in (
        forgotten.err
    )
    assert kessai("tx", "do", "new", *AN_ORDER, "--gateway", "emulator").code == 0
    found = json.loads(kessai("tx", "show", "new", "--json").out)
    assert found["account"] == TEST


@pytest.mark.parametrize("asked", [("recover",), ("reconcile",), ("sweep",)])
def test_beside_each_other_each_is_looked_after_alone_and_by_name(kessai, live, asked):
    kessai("tx", "do", "new", *AN_ORDER, "--gateway", "emulator")
    before = shown(kessai)
    forgotten = kessai(*asked, "--lang", "en")
    assert (forgotten.code, forgotten.out) == (2, "")
    assert f"no gateway is named, and the store holds transactions of {LIVE}" in (
        forgotten.err
    )
    named = kessai(*asked, "--gateway", "emulator", "--lang", "en")
    assert named.code == 0
    assert f"the transactions of {LIVE} are left alone" in named.err
    quiet = ("--gateway", "emulator", "--account", TEST, "--json")
    assert "left alone" not in kessai(*asked, *quiet).err
    assert shown(kessai) == before


def test_what_a_transaction_belongs_to_needs_no_name_and_a_new_one_does(kessai, live):
    kessai("tx", "do", "new", *AN_ORDER, "--gateway", "emulator")
    assert kessai("tx", "do", "new", "capture").code == 0
    assert kessai("reconcile", "new").code == 0
    forgotten = kessai("tx", "do", "newer", *AN_ORDER, "--lang", "en")
    assert forgotten.code == 2
    assert "no gateway is named" in forgotten.err


def test_two_merchants_on_one_store_do_not_act_for_each_other(
    kessai, live, monkeypatch
):
    """Both are at one gateway; here only the second one's credentials are known."""
    other = LocalGateway()
    with other.serve(port=0) as server:
        for name, value in other.environment(server.url).items():
            monkeypatch.setenv(name, value)
        gateway = ("--gateway", "veritrans4g", "--lang", "en")
        before = shown(kessai)
        assert kessai("tx", "do", "theirs", *AN_ORDER, *gateway).code == 0
        for asked in (("recover",), ("sweep",), ("reconcile",)):
            done = kessai(*asked, *gateway)
            assert done.code == 0
            assert f"the transactions of {LIVE} are left alone" in done.err
        capture, refund = (
            ("tx", "do", "order", "capture"),
            ("tx", "do", "order", "refund"),
        )
        for asked in (capture, refund, ("reconcile", "order")):
            refused = kessai(*asked, *gateway)
            assert refused.code == 2
            assert f"order belongs to the account {LIVE}" in refused.err
        refused = kessai("recover", *gateway, "--account", LIVE)
        assert refused.code == 2
        assert "the gateway is set up for the account" in refused.err
    other.close()
    assert shown(kessai) == before


def test_a_test_order_is_never_looked_up_at_another_gateway(kessai, monkeypatch):
    kessai("tx", "do", "order", *AN_ORDER)
    before = shown(kessai)
    elsewhere = LocalGateway()
    with elsewhere.serve(port=0) as server:
        for name, value in elsewhere.environment(server.url).items():
            monkeypatch.setenv(name, value)
        gateway = ("--gateway", "veritrans4g", "--lang", "en")
        for asked in (("tx", "do", "order", "capture"), ("recover",), ("sweep",)):
            refused = kessai(*asked, *gateway)
            assert refused.code == 2
            assert "--gateway emulator" in refused.err
        assert kessai("tx", "do", "other", *AN_ORDER, *gateway).code == 0
    elsewhere.close()
    assert shown(kessai) == before
    listed = kessai("tx", "list", "--json", "--account", TEST)
    (only,) = json.loads(listed.out)["transactions"]
    assert (only["transaction"], only["account"]) == ("order", TEST)
    assert TEST in kessai("tx", "list").out


def test_the_gateway_is_the_one_of_the_account_that_was_named(kessai):
    wrong = kessai("tx", "do", "order", *AN_ORDER, "--account", LIVE, "--lang", "en")
    assert wrong.code == 2
    assert f"--account {LIVE}: the gateway is set up for the account {TEST}" in (
        wrong.err
    )
    assert kessai("tx", "do", "order", *AN_ORDER, "--account", TEST).code == 0


def test_a_file_of_commands_is_not_sent_to_the_emulator_by_mistake(kessai, live, few):
    refused = kessai("run", few, "--lang", "en")
    assert refused.code == 2
    assert "no gateway is named" in refused.err


def a_line(hour, order, **fields):
    about = {"at": f"2024-06-01T{hour:02}:00:00Z", "key": f"k{hour}"}
    line = {"command": "authorize", "transaction": order, "lifecycle": "one_time"}
    return json.dumps({**about, **line, "amount": 700, **fields})


def test_a_line_of_another_account_is_a_mistake_before_anything_is_sent(
    kessai, tmp_path
):
    path = tmp_path / "commands.jsonl"
    path.write_text(f"{a_line(1, 'one')}\n{a_line(2, 'two', account=LIVE)}\n")
    refused = kessai("run", path)
    assert refused.code == 2
    column = a_line(2, "two", account=LIVE).index(f'"{LIVE}"') + 1
    assert refused.err == (
        f"{path}:2:{column}: account: '{LIVE}' is not known here; known is {TEST}\n"
    )
    assert not (tmp_path / "kessai.db").exists()


def test_an_order_of_another_account_is_a_mistake_in_its_line(kessai, live, tmp_path):
    path = tmp_path / "commands.jsonl"
    path.write_text(f"{a_line(1, 'new')}\n{a_line(2, 'order', command='refund')}\n")
    before = shown(kessai)
    refused = kessai("run", path, "--gateway", "emulator", "--lang", "en")
    assert refused.code == 2
    assert f":2:81: transaction: order belongs to the account {LIVE}" in refused.err
    assert kessai("tx", "show", "new").code == 2
    assert shown(kessai) == before


def test_a_gateway_that_is_not_set_up_makes_no_store(kessai, few, tmp_path):
    assert kessai("run", few, "--gateway", "veritrans4g").code == 2
    assert not (tmp_path / "kessai.db").exists()


def test_an_audit_says_what_belongs_to_whom(kessai, live, tmp_path):
    kessai("tx", "do", "new", *AN_ORDER, "--gateway", "emulator")
    verified = kessai("audit", "verify", "--lang", "en")
    assert verified.code == 0
    assert f"{TEST}: transactions 1\n  {LIVE}: transactions 1" in verified.out
    for command in (("verify", "--json"), ("report", "--format", "json")):
        found = kessai("audit", *command).out
        assert json.loads(found)["accounts"] == {TEST: 1, LIVE: 1}
    page = kessai("audit", "report", "--format", "html", "--lang", "ja").out
    assert f"{LIVE}：取引 1 件" in page
    table = kessai("audit", "report", "--format", "csv").out
    assert any(LIVE in row for row in table.splitlines())


def test_an_export_says_whose_payments_they_are(kessai, live):
    for what in ("movements", "events", "transactions"):
        rows = kessai("export", what, "--format", "ndjson").out.splitlines()
        assert {json.loads(row)["account"] for row in rows} == {LIVE}
