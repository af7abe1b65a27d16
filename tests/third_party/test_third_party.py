"""A package of a stranger: found by name, tested by the kit, at work."""

import json

from kessai_examplepay.adapter import ExamplePay

from kessai import Engine, HttpTransport, open_store


def test_the_kit_finds_the_adapter_by_its_name_and_it_passes(run, tmp_path):
    done = run(tmp_path, "pytest", "-W", "error", "--kessai-adapter", "examplepay")
    assert done.returncode == 0, done.stdout
    assert "53 passed" in done.stdout


def test_kessai_names_it_among_the_installed_ones(run, tmp_path):
    order = ["order-7", "authorize", "--lifecycle", "one_time", "--amount", "5000"]
    done = run(tmp_path, "kessai", "tx", "do", *order, "--gateway", "nonesuch")
    assert done.returncode == 2
    assert "amazon_pay, examplepay, payjp, stripe, veritrans4g" in done.stderr


def test_a_setting_that_is_missing_is_named(run, tmp_path):
    order = ["order-7", "authorize", "--lifecycle", "one_time", "--amount", "5000"]
    done = run(tmp_path, "kessai", "tx", "do", *order, "--gateway", "examplepay")
    assert done.returncode == 2
    assert "KESSAI_EXAMPLEPAY_KEY: is not set" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_order_goes_its_whole_way(run, tmp_path, gateway, settings):
    def do(order, *arguments):
        gate = ("--gateway", "examplepay", "--db", "shop.db", "--json")
        done = run(tmp_path, "kessai", "tx", "do", order, *arguments, *gate, **settings)
        return done.returncode, json.loads(done.stdout)

    order = "order_7"
    applied = (
        "authorize",
        "--lifecycle",
        "one_time",
        "--amount",
        "5000",
        "--key",
        "k1",
    )
    assert do(order, *applied)[0] == 0
    assert do(order, *applied)[0] == 0  # the same key again: nothing is sent
    assert do(order, "capture", "--amount", "3000")[0] == 0
    assert do(order, "cancel")[0] == 3
    code, refund = do(order, "refund", "--amount", "1000")
    assert (code, refund["status"]) == (4, "pending")
    assert [event["operation"] for event in gateway.orders[order]] == [
        "authorize",
        "capture",
        "refund",
    ]

    headers, body = gateway.resolve(order)
    engine = Engine(
        adapters=[ExamplePay.from_environment(settings)],
        store=open_store(str(tmp_path / "shop.db")),
        transport=HttpTransport(),
    )
    with engine:
        engine.receive_notification(headers, body)
        found = engine.store.load(None, order, None).transaction
    assert not found.operations
    assert (found.amounts["captured"], found.amounts["refunded"]) == (3000, 1000)
    assert found.states["payment"] == "partially_refunded"

    audit = run(tmp_path, "kessai", "audit", "verify", "--db", "shop.db")
    assert audit.returncode == 0, audit.stdout + audit.stderr


def test_a_command_it_lacks_leaves_no_trace(run, tmp_path, gateway, settings):
    gate = ("--gateway", "examplepay", "--db", "shop.db")
    order = ["order-7", "authorize", "--lifecycle", "one_time", "--amount", "5000"]
    run(tmp_path, "kessai", "tx", "do", *order, *gate, **settings)
    done = run(
        tmp_path, "kessai", "tx", "do", "order-7", "get_address", *gate, **settings
    )
    assert done.returncode == 2
    assert "ExamplePay has no command 'get_address'" in done.stderr
    assert len(gateway.orders["order-7"]) == 1
