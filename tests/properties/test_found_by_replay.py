"""What random tests have found, each as the shortest story that shows it."""

from datetime import UTC, datetime, timedelta

import pytest

from kessai import (
    Command,
    Engine,
    MemoryStore,
    Missing,
    Recovery,
    Status,
)
from kessai.errors import ResendWithSameKey, StoreBusy
from kessai_adapters.emulators.in_process import EmulatorTransport
from kessai_adapters.emulators.veritrans4g import (
    DEFAULT_CCID,
    DEFAULT_KEY,
    Emulator,
    Refused,
)
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G

MERCHANTS_PAGE = {
    "merchant_page": True,
    "merchant_page_url": "https://shop.example/confirm",
}
YEARLY = {"frequency": {"unit": "Year", "value": 1}}
BEGUN = datetime(2024, 6, 1, 3, 0, tzinfo=UTC)


class BusyStore(MemoryStore):
    """A store that another process holds while `busy` is set."""

    busy = None

    def append(self, change):
        if self.busy is not None and self.busy(change):
            message = "held by another process"
            raise StoreBusy(message)
        super().append(change)


class Scene:
    """An engine and its gateway, and a clock that the story moves."""

    def __init__(self):
        self.now = BEGUN
        self.emulator = Emulator(clock=lambda: self.now, approve="ask")
        self.store = BusyStore()
        self.engine = Engine(
            adapters=[
                VeriTrans4G(
                    Credentials(DEFAULT_CCID, DEFAULT_KEY),
                    dummy=True,
                    notification_url="https://shop.example/push",
                )
            ],
            store=self.store,
            transport=EmulatorTransport(self.emulator),
            clock=lambda: self.now,
        )
        self.keys = 0

    def do(self, name, amount=None, *, key=None, lifecycle=None, **parameters):
        self.keys += 1
        return self.engine.execute(
            Command(
                name,
                "A",
                key=key or f"key-{self.keys}",
                lifecycle=lifecycle,
                amount=amount,
                parameters=parameters,
            )
        )

    def apply(self, lifecycle, amount, *, logged_in=True, **parameters):
        if lifecycle == "recurring":
            parameters |= YEARLY
        answer = self.do("authorize", amount, lifecycle=lifecycle, **parameters)
        assert answer.status is Status.PENDING
        if logged_in:
            self.emulator.consumer.log_in("A")

    def authorized(self, amount=1000):
        self.apply("one_time", amount)
        self.emulator.consumer.approve("A")
        self.deliver()

    def deliver(self):
        for notification in self.emulator.take_notifications():
            self.engine.receive_notification(notification.headers, notification.body)

    def recover(self, missing=Missing.KEEP, **later):
        self.now += timedelta(**later)
        self.engine.recover_transaction("A", Recovery(missing=missing))

    @property
    def order(self):
        return self.emulator.books["A"]

    @property
    def transaction(self):
        return self.engine.transaction("A")

    def agrees(self, status):
        """Nothing is open, and both have the same amounts."""
        found, order = self.transaction, self.order
        assert found.operations == {}
        assert found.status == status
        names = ("authorized", "captured", "released", "refunded")
        assert [found.amounts[n] for n in names] == [getattr(order, n) for n in names]


@pytest.fixture
def scene():
    made = Scene()
    yield made
    made.engine.close()
    made.emulator.close()


@pytest.mark.parametrize("told_by", ["notification", "inquiry"])
@pytest.mark.parametrize("lifecycle", ["one_time", "recurring"])
def test_an_opening_declined_after_an_update_has_failed(scene, lifecycle, told_by):
    # The decline states the amount first asked for, not the one updated to.
    scene.apply(lifecycle, 100, **MERCHANTS_PAGE)
    scene.do("update_authorization", 150)
    scene.emulator.consumer.decline("A")
    if told_by == "notification":
        scene.deliver()
    else:
        scene.recover()
    found = scene.transaction
    assert found.operations == {}
    assert set(found.states.values()) == {"failed"}
    assert found.amounts["authorizing"] == 0


@pytest.mark.parametrize("told_by", ["notification", "inquiry"])
def test_an_update_asked_for_after_the_approval_counts_as_the_last_word(scene, told_by):
    # The engine thinks that the consumer has not finished; the gateway knows better.
    scene.apply("one_time", 100, **MERCHANTS_PAGE)
    scene.do("get_address")
    scene.emulator.consumer.approve("A")
    assert scene.do("update_authorization", 70).status is Status.SUCCEEDED
    if told_by == "notification":
        scene.deliver()
    else:
        scene.recover()
    scene.agrees("payment.authorized")
    assert scene.transaction.amounts["authorized"] == 70


@pytest.mark.parametrize("told_by", ["notification", "inquiry"])
@pytest.mark.parametrize("amount", [100, 150])
def test_a_lost_update_is_resolved_before_its_opening(scene, amount, told_by):
    # Afterwards a recurring payment allows no update: it would stay open for ever.
    scene.apply("recurring", 100, **MERCHANTS_PAGE)
    scene.emulator.misbehave("lose_reply", command="UpdateAuthorize")
    assert scene.do("update_authorization", amount).status is Status.UNKNOWN
    scene.emulator.consumer.approve("A")
    if told_by == "notification":
        scene.deliver()
    else:
        scene.recover()
    scene.agrees("consent.consented payment.authorized")


def test_a_lost_update_is_resolved_though_its_opening_is_declined(scene):
    scene.apply("one_time", 100, **MERCHANTS_PAGE)
    scene.emulator.misbehave("lose_reply", command="UpdateAuthorize")
    scene.do("update_authorization", 150)
    scene.emulator.consumer.decline("A")
    scene.deliver()
    assert scene.transaction.operations == {}
    assert scene.transaction.status == "payment.failed"


def test_a_capture_in_the_portal_counts_once_the_lost_update_is_resolved(scene):
    # Else the clock would let an authorization lapse that has been captured.
    scene.authorized()
    scene.now += timedelta(days=29, hours=23)
    scene.emulator.misbehave("lose_request", command="UpdateAuthorize")
    scene.do("update_authorization", 500)
    scene.emulator.portal.capture("A")
    scene.recover(Missing.DECLINE, hours=2)
    scene.engine.sweep("A")
    scene.agrees("payment.captured")


def test_a_lost_refund_does_not_take_the_place_of_one_in_progress(scene):
    scene.authorized()
    scene.do("capture")
    scene.emulator.misbehave("lose_request", command="Refund")
    assert scene.do("refund", 100).status is Status.UNKNOWN
    scene.emulator.misbehave("pending", command="Refund")
    assert scene.do("refund", 100).status is Status.PENDING
    scene.recover()
    phases = [o.phase.value for o in scene.transaction.operations.values()]
    assert phases == ["unknown", "pending"]
    scene.emulator.complete("A")
    scene.recover(Missing.DECLINE, minutes=11)
    scene.agrees("payment.partially_refunded")
    assert scene.transaction.amounts["refunded"] == 100


def test_a_lost_refund_that_is_in_progress_is_seen_to_be(scene):
    scene.authorized()
    scene.do("capture")
    scene.emulator.misbehave("pending", command="Refund")
    scene.do("refund", 100)
    scene.emulator.misbehave("pending", command="Refund")
    scene.store.busy = lambda change: change.opens is None
    with pytest.raises(ResendWithSameKey):
        scene.do("refund", 100)
    scene.store.busy = None
    scene.recover(minutes=3)
    phases = [o.phase.value for o in scene.transaction.operations.values()]
    assert phases == ["pending", "pending"]


def test_thirty_days_are_counted_from_the_approval_also_by_a_inquiry(scene):
    scene.apply("one_time", 100, logged_in=False)
    scene.now += timedelta(hours=23)
    scene.emulator.consumer.log_in("A")
    scene.emulator.consumer.approve("A")
    scene.emulator.take_notifications()
    scene.recover(days=1)
    assert scene.transaction.deadlines["authorization"] == scene.order.expires_at
    assert scene.order.expires_at == BEGUN + timedelta(days=30, hours=23)


def test_a_deadline_never_moves_back(scene):
    scene.authorized(100)
    first = scene.transaction.deadlines["authorization"]
    scene.now += timedelta(days=1)
    scene.emulator.misbehave("lose_reply", command="UpdateAuthorize")
    scene.do("update_authorization", 100)
    scene.recover(days=1)
    moved = scene.transaction.deadlines["authorization"]
    assert moved == first + timedelta(days=1) == scene.order.expires_at


def test_a_notification_that_may_be_an_echo_is_looked_up_at_once(scene):
    # "Not possible in this state" may be the echo of an earlier success of ours.
    scene.authorized()
    scene.emulator.misbehave("lose_reply", command="Capture")
    assert scene.do("capture").status is Status.UNKNOWN
    scene.emulator.take_notifications()
    with pytest.raises(Refused):
        scene.emulator.portal.capture("A")
    scene.deliver()
    scene.agrees("payment.captured")


def test_a_store_that_is_busy_after_the_call_does_not_say_that_nothing_was_sent(scene):
    # A refund sent again under a new key would be a second refund.
    scene.authorized()
    scene.do("capture")
    scene.store.busy = lambda change: change.opens is None
    with pytest.raises(ResendWithSameKey):
        scene.do("refund", 100, key="refund-1")
    scene.store.busy = None
    again = scene.do("refund", 100, key="refund-1")
    assert again.is_recorded
    assert again.status is Status.UNKNOWN
    scene.recover(minutes=3)
    assert scene.do("refund", 100, key="refund-1").status is Status.SUCCEEDED
    scene.agrees("payment.partially_refunded")
    assert scene.transaction.amounts["refunded"] == 100


def test_a_store_that_is_busy_before_the_call_says_that_nothing_was_sent(scene):
    scene.authorized()
    scene.store.busy = lambda change: change.opens is not None
    with pytest.raises(StoreBusy):
        scene.do("capture")
    assert len(scene.order.exchanges) == 1
    scene.store.busy = None
    scene.do("capture")
    scene.agrees("payment.captured")


def test_a_discrepancy_is_kept_once_however_often_it_is_looked_up(scene):
    scene.authorized()
    scene.emulator.misbehave("lose_request", command="Capture")
    scene.do("capture", 400)
    scene.emulator.portal.cancel("A")
    for _ in range(3):
        scene.recover()
    version = scene.transaction.version
    assert len(scene.transaction.discrepancies) == 1
    scene.recover()
    assert scene.transaction.version == version
    scene.recover(Missing.DECLINE, minutes=11)
    scene.agrees("payment.cancelled")
