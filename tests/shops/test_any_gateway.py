"""The same shop of thirty lines on each gateway: one variable says which."""

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from kessai import SQLiteStore
from kessai.audit import verify

SHOP = Path(__file__).with_name("any_gateway.py")


@pytest.mark.parametrize("gateway", ["veritrans4g", "stripe", "payjp"])
def test_a_shop_changes_its_gateway_by_one_variable(gateway, tmp_path):
    local = entry_points(group="kessai.emulators")[gateway].load()()
    try:
        with local.serve(port=0) as server:
            settings = {**local.environment(server.url), "SHOP_GATEWAY": gateway}
            done = subprocess.run(
                [sys.executable, SHOP, tmp_path / "shop.db"],
                env={"PYTHONUTF8": "1", **settings},
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
        assert done.stderr == ""
        assert done.stdout.split() == [
            *("authorize", "payment.authorized"),
            *("capture", "payment.captured"),
            *("refund", "payment.refunded"),
        ]
    finally:
        local.close()
    with SQLiteStore(tmp_path / "shop.db") as store:
        assert verify(store).holds


def test_it_is_a_shop_of_thirty_lines():
    assert len(SHOP.read_text("utf-8").splitlines()) <= 30
