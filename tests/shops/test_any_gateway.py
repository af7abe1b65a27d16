"""The same shop of some thirty lines on each gateway: one variable says which."""

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from kessai import SQLiteStore
from kessai.audit import verify

SHOP = Path(__file__).with_name("any_gateway.py")


@pytest.mark.parametrize(
    ("gateway", "opened", "refunded"),
    [
        # Its buyer comes back first, and it ends a refund later.
        ("amazon_pay", "requested", "captured"),
        ("veritrans4g", "authorized", "refunded"),
        ("stripe", "authorized", "refunded"),
        ("payjp", "authorized", "refunded"),
    ],
)
def test_a_shop_changes_its_gateway_by_one_variable(
    gateway, opened, refunded, tmp_path
):
    local = entry_points(group="kessai.emulators")[gateway].load()()
    try:
        with local.serve(port=0) as server:
            settings = {**local.environment(server.url), "SHOP_GATEWAY": gateway}
            with subprocess.Popen(
                [sys.executable, SHOP, tmp_path / "shop.db"],
                env={"PYTHONUTF8": "1", **settings},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            ) as shop:
                first = shop.stdout.readline()
                brought = comes_back(local) if opened == "requested" else ""
                rest, errors = shop.communicate(f"{brought}\n", timeout=60)
        assert errors == ""
        assert (first + rest).split() == [
            *("authorize", f"payment.{opened}"),
            *("capture", "payment.captured"),
            *("refund", f"payment.{refunded}"),
        ]
    finally:
        local.close()
    with SQLiteStore(tmp_path / "shop.db") as store:
        assert verify(store).holds


def comes_back(local):
    """The buyer approves; the query with which the browser comes back to the shop."""
    return f"amazonCheckoutSessionId={local.emulator.consumer.approve('order-1')}"


def test_it_is_a_shop_of_some_thirty_lines():
    assert len(SHOP.read_text("utf-8").splitlines()) <= 33
