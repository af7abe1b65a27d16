"""What authors of stores test theirs with. Needs pytest, which kessai does not bring.

from kessai.testing import StoreConformance

class TestMyStore(StoreConformance):
    def make_store(self, tmp_path):
        return MyStore(tmp_path / "store")
"""

import pytest

pytest.register_assert_rewrite("kessai.testing.stores")

from kessai.testing.stores import (  # noqa: E402 - rewriting must be asked for first
    SharedStoreConformance,
    StoreConformance,
)

__all__ = ["SharedStoreConformance", "StoreConformance"]
