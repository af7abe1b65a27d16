"""Stores and engines are closed at the end of their `with` block, whatever happened."""

import asyncio

import pytest

from kessai import AsyncEngine, Engine, MemoryStore, SQLiteStore
from kessai.errors import StoreFailed
from kessai_adapters.veritrans4g.local import LocalGateway


def test_a_store_is_closed_at_the_end_of_its_block(tmp_path):
    with SQLiteStore(tmp_path / "shop.db") as store:
        assert store.accounts() == []
    with pytest.raises(StoreFailed, match="closed"):
        store.accounts()


def test_what_is_raised_in_the_block_comes_out_of_it(tmp_path):
    with pytest.raises(LookupError), SQLiteStore(tmp_path / "shop.db") as store:
        raise LookupError
    with pytest.raises(StoreFailed, match="closed"):
        store.accounts()


def test_a_store_in_memory_has_the_same_form():
    with MemoryStore() as store:
        assert store.accounts() == []


def test_an_engine_closes_its_store(tmp_path):
    gateway = LocalGateway()
    store = SQLiteStore(tmp_path / "shop.db")
    with Engine(adapters=[gateway.adapter], store=store) as engine:
        assert engine.recover() == []
    with pytest.raises(StoreFailed, match="closed"):
        store.accounts()


def test_so_does_one_for_asyncio(tmp_path):
    gateway = LocalGateway()
    store = SQLiteStore(tmp_path / "shop.db")

    async def day():
        async with AsyncEngine(adapters=[gateway.adapter], store=store) as engine:
            return await engine.recover()

    assert asyncio.run(day()) == []
    with pytest.raises(StoreFailed, match="closed"):
        store.accounts()
