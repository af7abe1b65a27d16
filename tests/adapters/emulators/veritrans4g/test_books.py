"""The books: sums, invariants, and what a later process finds."""

import attrs
import pytest

from kessai_adapters.emulators import BooksInUse
from kessai_adapters.emulators import shelf as shelves
from kessai_adapters.emulators.veritrans4g import BooksBroken, Emulator, Payment
from kessai_adapters.emulators.veritrans4g.books import check


def test_the_totals_count_states_and_sum_yen(shop, emulator):
    shop.authorized("A-1", 1000)
    shop.ok("Capture", "A-1", amount="600")
    shop.ok("Refund", "A-1", amount="100")
    shop.authorized("A-2", 50)
    shop.consented("R-1", 10)
    shop.ok("ReAuthorize", "R-2", originalOrderId="R-1", amount="7")
    assert emulator.totals() == {
        "orders": 4,
        "payments": {
            "one_time": {"partially_refunded": 1, "authorized": 1},
            "recurring": {"authorized": 1},
            "reauthorized": {"authorized": 1},
        },
        "consents": {"consented": 1},
        "authorized": 1067,
        "captured": 600,
        "released": 400,
        "refunded": 100,
        "refunding": 0,
    }


def test_the_totals_see_what_has_expired(shop, emulator, clock):
    shop.authorized("A-1", 1000)
    clock.pass_days(30)
    totals = emulator.totals()
    assert totals["payments"]["one_time"] == {"expired": 1}
    assert totals["released"] == 1000


@pytest.mark.parametrize(
    "changes",
    [
        {"captured": 1001},
        {"captured": -1},
        {"authorized": 0},
        {"released": 1},
        {"refunded": 1001},
        {"refunded": 10},
        {"refunding": 10},
        {"payment": Payment.REFUNDED},
        {"payment": Payment.AUTHORIZED},
        {"payment": Payment.CANCELLED},
        {"original_order_id": "A-0"},
    ],
)
def test_an_order_that_contradicts_itself_is_not_kept(shop, emulator, changes):
    shop.captured("A-1", 1000)
    check(emulator.books["A-1"])
    with pytest.raises(BooksBroken, match="A-1"):
        check(attrs.evolve(emulator.books["A-1"], **changes))


def test_the_books_are_readable_by_id(shop, emulator):
    shop.authorized("A-1")
    assert "A-1" in emulator.books
    assert len(emulator.books) == 1
    assert [order.order_id for order in emulator.books] == ["A-1"]


def test_a_later_process_continues_with_the_same_orders(shop, clock, tmp_path):
    path = tmp_path / "gateway.db"
    with Emulator(clock=clock, books=path) as first:
        shop.emulator = first
        shop.consented("R-1", 1000, noteToBuyer="毎月", withCapture="true")
        shop.ok("UpdateConsent", "R-1", amount="5")
        first.misbehave("pending", command="Refund")
        refund = shop.send("Refund", "R-1", amount="300")
        first.approve = "ask"
        shop.authorized("A-1", 70)
        before = {order.order_id: order for order in first.books}
        totals = first.totals()
        url = first.consumer.page_url("A-1")

    with Emulator(clock=clock, books=path) as second:
        shop.emulator = second
        assert {order.order_id: order for order in second.books} == before
        assert second.totals() == totals
        assert second.consumer.page_url("A-1") == url
        second.complete("R-1")
        second.consumer.approve("A-1")
        clock.pass_days(30)
        assert shop.status("A-1") == "expired"
        assert second.books["R-1"].refunded == 300
        later = shop.ok("Refund", "R-1")
        assert int(later["custTxn"]) > int(refund["custTxn"])
        assert shop.refused("Authorize", "A-1", amount="1") == "NH050000"


def test_two_emulators_do_not_share_one_file(clock, tmp_path, monkeypatch):
    monkeypatch.setattr(shelves, "_PATIENCE_SECONDS", 0.05)
    path = tmp_path / "gateway.db"
    with Emulator(clock=clock, books=path), pytest.raises(BooksInUse):
        Emulator(clock=clock, books=path)
    Emulator(clock=clock, books=path).close()
