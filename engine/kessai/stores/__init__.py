"""Stores: one protocol, and what keeps it in memory and in SQLite."""

from kessai.stores.memory import MemoryStore
from kessai.stores.opening import open_store
from kessai.stores.protocol import Store
from kessai.stores.sqlite import SQLiteStore, StoreWarning

__all__ = ["MemoryStore", "SQLiteStore", "Store", "StoreWarning", "open_store"]
