"""PAY.JP at home: the emulator behind a port, reached as the gateway would be."""

from contextlib import ExitStack

import httpx
import pytest

from kessai import Command, Engine, MemoryStore
from kessai.errors import StoreBusy, StoreUnsuitable
from kessai_adapters.payjp import PayJp
from kessai_adapters.payjp.local import LocalPayJp

PAY = Command(
    *("authorize", "order-7"), key="key-1", lifecycle="card", amount=500, currency="JPY"
)


def test_a_payment_goes_over_http():
    with ExitStack() as stack:
        local = LocalPayJp()
        stack.callback(local.close)
        server = stack.enter_context(local.serve(port=0))
        adapter = PayJp.from_environment(local.environment(server.url))
        assert adapter.account == "payjp/local/emulator"
        engine = Engine(adapters=[adapter], store=MemoryStore())
        stack.callback(engine.close)
        assert str(engine.execute(PAY).status) == "pending"
        engine.reconcile("order-7")  # the consumer paid as soon as there was an answer
        assert engine.transaction("order-7").states == {"payment": "authorized"}
        listed = httpx.get(f"{server.url}/_emulator/orders").text
        assert engine.transaction("order-7").references["payment_flow"] in listed


def test_who_waits_has_a_page():
    local = LocalPayJp(approve="ask")
    engine = Engine(
        adapters=[local.adapter], store=MemoryStore(), transport=local.transport
    )
    engine.execute(PAY)
    assert list(local.waiting()) == ["order-7"]
    local.emulator.consumer.approve(
        engine.transaction("order-7").references["payment_flow"]
    )
    assert local.waiting() == {}
    engine.close()
    local.close()


def test_the_books_are_held_by_one_and_are_nobody_elses(tmp_path):
    path = tmp_path / "orders.db.gateway-payjp"
    first = LocalPayJp(books=path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kessai_adapters.emulators.shelf._PATIENCE_SECONDS", 0.01)
        with pytest.raises(StoreBusy):
            LocalPayJp(books=path)
    first.close()
    other = tmp_path / "another.db"
    other.write_bytes(b"no database at all, but long enough to be read as one" * 9)
    with pytest.raises(StoreUnsuitable):
        LocalPayJp(books=other)
