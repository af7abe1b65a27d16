"""What holds of each shop, whatever it is made of: written once, and run for all."""

import httpx
import pytest

from kessai.audit import verify

PAID, SHIPPED = "payment.authorized", "payment.captured"


class ShopStory:
    """A test class has `shop`, a `VisitedShop`, whose servers run for all its tests."""

    def test_an_order_is_paid_shipped_and_partly_refunded(self, shop):
        page = shop.check_out("cart-1", 1200)
        assert str(page.url).startswith(shop.gateway_url)
        back = shop.approve(page)
        assert str(back.url) == f"{shop.url}/orders/cart-1"
        assert PAID in back.text
        assert shop.order("cart-1") == (1200, False)
        assert SHIPPED in shop.ship("cart-1").text
        assert shop.order("cart-1") == (1200, True)
        for key, status in [("r-1", 200), ("r-1", 200), ("r-2", 409)]:
            assert shop.refund("cart-1", 700, key).status_code == status
        assert shop.payment("cart-1").amounts["refunded"] == 700
        assert shop.deliver() == [200, 200, 200]

    def test_of_a_consumer_who_does_not_come_back_the_gateway_notifies(self, shop):
        shop.check_out("cart-2", 1200)
        shop.emulator.consumer.approve("cart-2")
        assert shop.payment("cart-2").status == "payment.requested"
        assert set(shop.deliver()) == {200}
        assert shop.heard("cart-2") == PAID

    def test_a_forged_notification_changes_nothing(self, shop):
        shop.check_out("cart-3", 1200)
        forged = "numberOfNotify=1&orderId0000=cart-3&mstatus0000=success"
        answer = httpx.post(f"{shop.url}/payments", content=forged)
        assert answer.status_code == 400
        assert shop.payment("cart-3").status == "payment.requested"

    def test_a_consumer_who_declines_is_shown_so(self, shop):
        back = shop.answer(shop.check_out("cart-4", 1200), "decline")
        assert "payment.failed" in back.text

    def test_what_the_rules_deny_is_rolled_back_and_explained(self, shop):
        shop.check_out("cart-5", 1200)
        before = shop.payment("cart-5")
        denied = shop.ship("cart-5")
        assert denied.status_code == 409
        assert "capture is possible when payment is authorized" in denied.text
        assert shop.order("cart-5") == (1200, False)
        assert shop.payment("cart-5") == before
        assert shop.check_out("cart-6", 99_999_999).status_code == 409
        assert shop.leaves_no_trace_of("cart-6")

    def test_what_cannot_be_an_order_is_refused(self, shop):
        mistaken = shop.check_out("4242424242424242", 1200)
        assert mistaken.status_code == 400
        assert "a card number" in mistaken.text
        assert shop.leaves_no_trace_of("4242424242424242")
        assert shop.check_out("cart-7", "much").status_code in {400, 409, 422}
        assert shop.leaves_no_trace_of("cart-7")
        for path in ("/orders/nobodys", "/orders/nobodys/return"):
            assert shop.browser.get(f"{shop.url}{path}").status_code == 404

    def test_a_crash_before_the_commit_leaves_no_trace(self, shop):
        with pytest.raises(httpx.TransportError):
            shop.check_out("cart-before", 1200, at=shop.newer)
        assert shop.leaves_no_trace_of("cart-before")
        shop.pay("cart-before", 1200)
        assert shop.order("cart-before") == (1200, False)

    def test_what_a_crash_after_the_commit_leaves_is_carried_out_by_recover(self, shop):
        shop.pay("shipped-after", 1200)
        with pytest.raises(httpx.TransportError):
            shop.ship("shipped-after", at=shop.newer)
        assert shop.order("shipped-after") == (1200, True)
        assert shop.carried_out("shipped-after") == ["Authorize"]
        assert [each.status for each in shop.recover("shipped-after")] == ["succeeded"]
        assert shop.carried_out("shipped-after") == ["Authorize", "Capture"]
        assert shop.heard("shipped-after") == SHIPPED

    def test_a_consumer_who_checks_out_again_after_a_crash_pays_once(self, shop):
        with pytest.raises(httpx.TransportError):
            shop.check_out("cart-after", 1200, at=shop.newer)
        assert shop.order("cart-after") == (1200, False)
        assert shop.carried_out("cart-after") == []
        shop.pay("cart-after", 1200)
        assert shop.carried_out("cart-after") == ["Authorize"]

    def test_an_order_goes_on_under_the_rules_it_was_opened_under(self, shop):
        """Two releases run side by side; the newer denies a refund below ¥100."""
        releases = {"older": shop.url, "newer": shop.newer}
        for order, url in releases.items():
            shop.pay(order, 1200, at=url)
            shop.ship(order, at=url)
        for release, url in releases.items():
            refunds = [
                shop.refund(order, 50, f"{order} by {release}", at=url)
                for order in releases
            ]
            assert [each.status_code for each in refunds] == [200, 409]
            assert "100" in refunds[1].text
        older, newer = map(shop.payment, releases)
        assert (older.amounts["refunded"], newer.amounts["refunded"]) == (100, 0)
        assert older.lifecycle == newer.lifecycle
        assert older.lifecycle_hash != newer.lifecycle_hash

    def test_orders_and_payments_agree(self, shop):
        assert verify(shop.store).holds
        for payment in shop.store.transactions():
            assert shop.heard(payment.id) == payment.status
