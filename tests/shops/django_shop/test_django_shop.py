"""The shop in Django, on SQLite and on PostgreSQL, with its admin."""

import re

import pytest
from shop_story import PAID, ShopStory


@pytest.fixture(scope="class", params=["sqlite", "postgres"])
def shop(request, open_shop):
    """The shop, with somebody of its staff at the browser."""
    with open_shop("django", request.param) as shop:
        shop.browser.get(f"{shop.url}/admin/login/")
        shop.post("/admin/login/", username="sato", password=shop.host.password)
        yield shop


class TestDjangoShop(ShopStory):
    def test_the_admin_links_each_order_to_its_payment(self, shop):
        shop.pay("linked", 3400)
        assert shop.heard("linked") == PAID
        orders = shop.browser.get(f"{shop.url}/admin/orders/order/").text
        (link,) = re.findall(r'href="([^"]+/payment/linked/[^"]*)"', orders)
        payment = shop.browser.get(f"{shop.url}{link}")
        assert payment.status_code == 200
        assert "3400" in payment.text
        assert 'name="_save"' not in payment.text  # it is only looked at

    def test_only_the_staff_ships(self, shop):
        shop.pay("guarded", 1200)
        shop.browser.cookies.delete("sessionid")
        assert "/admin/login/" in str(shop.ship("guarded").url)
        assert shop.payment("guarded").status == PAID
