"""Whatever is sent, in whatever order: the books add up and the wire never breaks."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from kessai_adapters.emulators import Fault, Lost, OutOfPlay
from kessai_adapters.emulators.veritrans4g import Emulator, OwnFault

PATHS = (
    "/paynow/v2/Authorize/amazonpay",
    "/paynow-search/v2/Search/search",
    "/consumer/A?session=",
)
AMOUNTS = st.integers(min_value=0, max_value=120).map(str)
STEPS = st.one_of(
    st.tuples(
        st.sampled_from(
            [
                "Capture",
                "Cancel",
                "Refund",
                "UpdateAuthorize",
                "Terminate",
                "UpdateConsent",
                "GetAddress",
                "ReAuthorize",
            ]
        ),
        st.sampled_from(["A", "R", "R-1"]),
        AMOUNTS,
    ),
    st.tuples(
        st.just("misbehave"),
        st.sampled_from([OwnFault.PENDING, OwnFault.REFUSE, Fault.LOSE_REPLY]),
        st.just(""),
    ),
    st.tuples(
        st.sampled_from(["complete", "fail"]),
        st.sampled_from(["A", "R", "R-1"]),
        st.just(""),
    ),
    st.tuples(st.just("days"), st.integers(min_value=1, max_value=31), st.just("")),
)


def do(shop, step):
    name, target, amount = step
    emulator = shop.emulator
    try:
        if name == "misbehave":
            emulator.misbehave(target)
        elif name == "days":
            shop.clock.pass_days(target)
        elif name in {"complete", "fail"}:
            getattr(emulator, name)(target)
        else:
            shop.send(name, target, amount=amount, originalOrderId="R")
    except (Lost, OutOfPlay):
        pass


def moved(shop, order_id, command):
    return sum(
        int(yen)
        for name, result, yen in shop.trail(order_id)
        if (name == command and result == "success")
    )


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(STEPS, max_size=25))
def test_no_history_of_commands_loses_or_makes_money(shop_of, steps):
    with shop_of() as shop:
        emulator = shop.emulator
        shop.authorized("A", 100)
        shop.consented("R", 100)
        for step in steps:
            do(shop, step)
        emulator.behave()
        totals = emulator.totals()
        orders = [order.order_id for order in emulator.books]
        captures = sum(moved(shop, order_id, "Capture") for order_id in orders)
        refunds = sum(moved(shop, order_id, "Refund") for order_id in orders)
        assert (totals["captured"], totals["refunded"]) == (captures, refunds)
        assert totals["refunded"] + totals["refunding"] <= totals["captured"]


@settings(max_examples=200, deadline=None)
@given(
    path=st.sampled_from(PATHS),
    kind=st.sampled_from(["application/json", "application/x-www-form-urlencoded", ""]),
    body=st.one_of(
        st.binary(max_size=60),
        st.recursive(
            st.none() | st.text(max_size=5) | st.integers(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["params", "authHash"]), inner)
            ),
        ).map(lambda value: json.dumps(value).encode()),
    ),
)
def test_no_bytes_break_the_wire(path, kind, body):
    with Emulator() as emulator:
        reply = emulator.handle("POST", path, {"Content-Type": kind}, body)
        assert reply.status in {200, 400, 404}
        assert len(emulator.books) == 0
