"""The shop in Flask, on SQLite, in workers that gunicorn forks from a loaded shop."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from shop_story import ShopStory


@pytest.fixture(scope="class")
def shop(open_shop):
    with open_shop("flask", "sqlite") as shop:
        yield shop


class TestFlaskShop(ShopStory):
    def test_all_workers_of_the_preloaded_shop_open_payments(self, shop):
        carts = [f"crowd-{number}" for number in range(12)]
        with ThreadPoolExecutor(len(carts)) as crowd:
            pages = list(crowd.map(lambda cart: shop.check_out(cart, 500), carts))
        assert all(str(page.url).startswith(shop.gateway_url) for page in pages)
        assert [shop.carried_out(cart) for cart in carts] == [["Authorize"]] * len(
            carts
        )
