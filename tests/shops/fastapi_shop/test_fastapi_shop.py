"""The shop in FastAPI, on PostgreSQL."""

import pytest
from shop_story import ShopStory


@pytest.fixture(scope="class")
def shop(open_shop):
    with open_shop("fastapi", "postgres") as shop:
        yield shop


class TestFastAPIShop(ShopStory):
    pass
