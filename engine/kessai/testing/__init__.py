"""What others test with: their order systems, their stores, their adapters.

Commands and whole histories, drawn from a lifecycle file (`strategies`, `history`):

    from hypothesis import given
    from kessai.testing import allowed_commands, denied_commands, histories

    @given(histories("one_time"))
    def test_my_report_adds_up(history): assert refunded_in(my_report(history)) ==
        history.transaction.amounts["refunded"]

    @given(denied_commands("one_time", transaction, now))
    def test_my_shop_gives_the_reasons(denied):
        assert my_shop.ask(denied.command).reasons >= denied.reasons

One's own order system, against the engine and the emulator, with everything that goes
wrong (`order_system`); a failure is shown as a story that can be pasted into a test:

    from kessai.testing import OrderSystem

    class ShopTest(OrderSystem):
        def open(self, engine): return Shop(engine)
        def ask(self, shop, command): shop.carry_out(command)
        def notification(self, shop, headers, body): shop.receive(headers, body)
        def recover(self, shop): shop.catch_up()
        def books(self, shop): return shop.books()

    TestShop = ShopTest.TestCase

One's own store (`stores`), as a suite of pytest's or by one call:

    from kessai.testing import StoreConformance, check_store

    class TestMyStore(StoreConformance):
        def make_store(self, tmp_path): return MyStore()

    check_store(lambda folder: MyStore())

One's own adapter (`adapters`), as a suite, by one call, or `pytest --kessai-adapter
NAME`:

    from kessai.testing import check_adapter

    check_adapter(MyAdapter(), my_samples())

One's own transport, against servers that misbehave, as a suite or by one call:

    from kessai.testing import check_transport

    check_transport(MyTransport)

Needs the extra `testing` (pytest, hypothesis and trustme). What is named here is imported when
it is first used: pytest and hypothesis load parts of this package in every run of
theirs, and must not become slow by it.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kessai.testing.adapter_kit.public import AdapterConformance, check_adapter
    from kessai.testing.order_kit.order_system import OrderSystem
    from kessai.testing.order_kit.trace import Story
    from kessai.testing.store_kit.check import check_store
    from kessai.testing.store_kit.conformance import (
        SharedStoreConformance,
        StoreConformance,
    )
    from kessai.testing.strategies.commands import allowed_commands, denied_commands
    from kessai.testing.strategies.denied import DeniedCommand
    from kessai.testing.strategies.histories import TransactionHistory, histories
    from kessai.testing.strategies.values import (
        amounts,
        keys,
        order_ids,
        parameter_values,
    )
    from kessai.testing.transport_kit.check import (
        TransportConformance,
        check_transport,
    )

__all__ = [
    "AdapterConformance",
    "DeniedCommand",
    "OrderSystem",
    "SharedStoreConformance",
    "StoreConformance",
    "Story",
    "TransactionHistory",
    "TransportConformance",
    "allowed_commands",
    "amounts",
    "check_adapter",
    "check_store",
    "check_transport",
    "denied_commands",
    "histories",
    "keys",
    "order_ids",
    "parameter_values",
]

_NAMES = {
    "adapter_kit.public": ("AdapterConformance", "check_adapter"),
    "order_kit.order_system": ("OrderSystem",),
    "order_kit.trace": ("Story",),
    "store_kit.check": ("check_store",),
    "store_kit.conformance": ("SharedStoreConformance", "StoreConformance"),
    "strategies.commands": ("allowed_commands", "denied_commands"),
    "strategies.denied": ("DeniedCommand",),
    "strategies.histories": ("TransactionHistory", "histories"),
    "strategies.values": ("amounts", "keys", "order_ids", "parameter_values"),
    "transport_kit.check": ("TransportConformance", "check_transport"),
}
_AT = {name: module for module, names in _NAMES.items() for name in names}
_ASSERTING = frozenset({"adapter_kit.public", "store_kit.conformance"})
"""What pytest is to show the failed assertions of in full."""


def __getattr__(name: str) -> Any:
    if name not in _AT:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    module = f"{__name__}.{_AT[name]}"
    if _AT[name] in _ASSERTING and module not in sys.modules:
        import pytest

        pytest.register_assert_rewrite(module)
    return getattr(import_module(module), name)
