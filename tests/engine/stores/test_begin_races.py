"""A few rounds of `begin_races.py`, on both databases."""

import pytest
from begin_races import run


@pytest.mark.parametrize("kind", ["file", "server"])
def test_many_shops_begin_the_same_refund_and_it_is_sent_once(kind, tmp_path, request):
    store = str(tmp_path / "shop.db")
    if kind == "server":
        store = request.getfixturevalue("url")
    figures = run(store, rounds=2, racers=30, seed=1)
    assert figures["sent"] == 2
    assert min(figures["dies"], figures["rolls back"]) > 0
