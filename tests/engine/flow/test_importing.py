"""Orders that began in another system are carried on here, at the same gateway.

The other system is an engine with a store of its own, which is lost: what it did is known
from its export, a command at a time.
"""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from kessai import (
    AsyncEngine,
    Command,
    Engine,
    ImportedCommand,
    MemoryStore,
    SQLiteStore,
)
from kessai.audit import verify
from kessai.errors import InvalidInput
from kessai.machine import Begun, Denied, Reported, read_events
from kessai_adapters.veritrans4g.local import LocalGateway

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
BY = {"evidence": "export of the old shop", "actor": "sato"}


class Moving:
    """A shop that moves: the old system, the new one, and the gateway of both."""

    def __init__(self) -> None:
        self.now = NOON
        self.gateway = LocalGateway(clock=lambda: self.now)
        self.old, self.new = self.engine(), self.engine()
        self.done: list[ImportedCommand] = []

    def engine(self) -> Engine:
        return Engine(
            adapters=[self.gateway.adapter],
            store=MemoryStore(),
            transport=self.gateway.transport,
            clock=lambda: self.now,
        )

    def before(self, name: str, amount: int | None = None, **more: object) -> None:
        """The old system has carried `name` out."""
        key = f"old-{len(self.done)}"
        command = Command(name, "order-1", key=key, amount=amount, **more)
        self.old.execute(command)
        assert not self.old.reconcile("order-1").transaction.operations
        self.done.append(ImportedCommand(command=command, at=self.now))
        self.now += timedelta(hours=1)

    def moves(self, engine: Engine | None = None) -> list[str]:
        """All of it is imported; the answers' statuses."""
        target = engine or self.new
        return [target.import_command(one, **BY).status for one in self.done]

    def order(self):
        return self.new.store.load(None, "order-1", None).transaction


@pytest.fixture
def shop():
    moving = Moving()
    yield moving
    moving.gateway.close()


def test_an_order_is_captured_and_refunded_where_it_moved_to(shop):
    shop.before("authorize", 1000, lifecycle="one_time")
    assert shop.moves() == ["succeeded"]
    for key, name, amount in (("1", "capture", 600), ("2", "refund", 600)):
        command = Command(name, "order-1", key=key, amount=amount)
        assert shop.new.execute(command).status == "succeeded"
    assert shop.order().states == {"payment": "refunded"}
    (booked,) = shop.gateway.emulator.books.orders.values()
    assert (booked.captured, booked.refunded) == (600, 600)
    assert verify(shop.new.store).holds


def test_what_was_imported_is_what_the_gateway_lists_and_is_counted_once(shop):
    shop.before("authorize", 1000, lifecycle="one_time")
    shop.before("capture", 700)
    shop.before("refund", 200)
    shop.before("refund", 200)
    shop.moves()
    inquiry = shop.new.reconcile("order-1")
    assert inquiry.transaction.amounts["refunded"] == 400
    assert not inquiry.transaction.discrepancies
    assert not inquiry.transaction.unclaimed
    assert inquiry.transaction == shop.order()
    assert verify(shop.new.store).holds


def test_intent_and_outcome_have_the_time_of_then_and_say_who_knows(shop):
    shop.before("authorize", 1000, lifecycle="one_time")
    shop.now = NOON + timedelta(days=20)
    shop.moves()
    begun, reported = _events(shop)
    assert isinstance(begun, Begun)
    assert isinstance(reported, Reported)
    assert begun.at == reported.at == reported.evidence.reported_at == NOON
    assert reported.evidence.actor == "sato"
    assert reported.evidence.note == (
        "export of the old shop (imported 2026-04-21T12:00:00Z)"
    )
    assert shop.order().deadlines == {"authorization": NOON + timedelta(days=30)}


def _events(shop):
    return list(read_events(shop.new.store.records("order-1")))


def test_a_capture_long_ago_is_imported_though_the_authorization_ended_since(shop):
    shop.before("authorize", 1000, lifecycle="one_time")
    shop.before("capture", 1000)
    shop.now = NOON + timedelta(days=300)
    assert shop.moves() == ["succeeded", "succeeded"]
    assert shop.order().states == {"payment": "captured"}
    assert verify(shop.new.store).holds


def test_imported_again_nothing_changes(shop):
    shop.before("authorize", 1000, lifecycle="one_time")
    shop.before("capture", 700)
    shop.moves()
    version = shop.order().version
    assert shop.moves() == ["succeeded", "succeeded"]
    assert shop.order().version == version == 4


def test_what_the_rules_did_not_allow_then_is_denied(shop):
    shop.before("authorize", 1000, lifecycle="one_time")
    too_much = Command("capture", "order-1", key="x", amount=1001)
    shop.done.append(ImportedCommand(command=too_much, at=shop.now))
    assert shop.moves() == ["succeeded", "denied"]
    assert isinstance(_events(shop)[-1], Denied)
    assert shop.order().states == {"payment": "authorized"}


def test_what_an_inquiry_has_shown_already_is_not_counted_again(shop):
    shop.before("authorize", 1000, lifecycle="one_time")
    shop.before("capture", 700)
    shop.moves()
    shop.before("refund", 200)
    assert shop.new.reconcile("order-1").transaction.amounts["refunded"] == 200
    answer = shop.new.import_command(shop.done[-1], **BY)
    assert answer.denial.codes == ("external_unclaimed",)
    assert shop.order().amounts["refunded"] == 200


def test_references_are_known_from_then_on(shop):
    command = Command("authorize", "order-1", key="a", lifecycle="one_time", amount=1)
    ends = NOON + timedelta(days=3)
    shop.new.import_command(
        ImportedCommand(
            command=command,
            at=NOON,
            references={"intent": "pi_1"},
            deadlines={"authorization": ends},
        ),
        **BY,
    )
    account = shop.gateway.adapter.account
    assert shop.new.store.find(account, "intent", "pi_1") == ["order-1"]
    assert shop.order().deadlines == {"authorization": ends}


def test_a_payment_is_no_two_orders_though_a_customer_has_many(shop):
    def taken(order: str, **references: str) -> ImportedCommand:
        command = Command("authorize", order, key=order, lifecycle="one_time", amount=1)
        return ImportedCommand(command=command, at=NOON, references=references)

    shop.new.import_command(taken("order-1", customer="c-1", intent="pi_1"), **BY)
    shop.new.import_command(taken("order-2", customer="c-1", intent="pi_2"), **BY)
    with pytest.raises(InvalidInput, match="order-1 has customer c-1, intent pi_1"):
        shop.new.import_command(taken("order-3", customer="c-1", intent="pi_1"), **BY)
    assert shop.new.store.load(None, "order-3", None).transaction is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"at": NOON + timedelta(seconds=1)}, "in the future"),
        ({"at": NOON.replace(tzinfo=None)}, "with its zone"),
        ({"deadlines": {"capture": NOON}}, "'capture' is not one of the lifecycle's"),
    ],
)
def test_what_cannot_have_happened_is_refused_and_leaves_no_trace(shop, change, says):
    command = Command("authorize", "order-1", key="a", lifecycle="one_time", amount=1)
    given = {"command": command, "at": NOON, **change}
    with pytest.raises(InvalidInput, match=says):
        shop.new.import_command(ImportedCommand(**given), **BY)
    assert shop.order() is None


def test_a_read_is_no_history(shop):
    shop.before("authorize", 1000, lifecycle="one_time")
    shop.moves()
    read = ImportedCommand(command=Command("get_address", "order-1", key="r"), at=NOON)
    with pytest.raises(InvalidInput, match="only reads"):
        shop.new.import_command(read, **BY)


def test_nobody_imports_without_a_name(shop):
    shop.before("authorize", 1000, lifecycle="one_time")
    with pytest.raises(InvalidInput, match="actor"):
        shop.new.import_command(shop.done[0], evidence="export", actor="")


def test_the_trail_holds_on_disk_and_under_asyncio(shop, tmp_path):
    shop.before("authorize", 1000, lifecycle="one_time")
    shop.before("capture", 700)

    async def move() -> list[str]:
        store = SQLiteStore(tmp_path / "new.db")
        async with AsyncEngine(
            adapters=[shop.gateway.adapter],
            store=store,
            transport=shop.gateway.async_transport,
            clock=lambda: shop.now,
        ) as engine:
            return [(await engine.import_command(o, **BY)).status for o in shop.done]

    assert asyncio.run(move()) == ["succeeded", "succeeded"]
    with SQLiteStore(tmp_path / "new.db") as store:
        assert verify(store).holds
        assert store.load(None, "order-1", None).transaction.amounts["captured"] == 700
