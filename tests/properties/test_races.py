"""Two engines on one file, at the same moment: one effect, and every yen counted once."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from kessai import Command, Engine, SQLiteStore, Status, StoreWarning
from kessai_adapters.emulators.in_process import EmulatorTransport
from kessai_adapters.emulators.veritrans4g import DEFAULT_CCID, DEFAULT_KEY, Emulator
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G

ROUNDS = 5
MONTHLY = {"frequency": {"unit": "Month", "value": 1}}


@pytest.fixture
def gateway():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def engines(gateway, tmp_path):
    """Two engines, each with its own connection to one file."""

    def engine():
        with warnings.catch_warnings():
            # What the SQLite library at hand is known for is not what is tried here.
            warnings.simplefilter("ignore", StoreWarning)
            store = SQLiteStore(tmp_path / "kessai.db")
        return Engine(
            adapters=[
                VeriTrans4G(
                    Credentials(DEFAULT_CCID, DEFAULT_KEY),
                    dummy=True,
                    notification_url="https://shop.example/push",
                )
            ],
            store=store,
            transport=EmulatorTransport(gateway),
        )

    with engine() as one, engine() as other:
        yield one, other


def race(engines, *commands):
    """Both at once; what each was answered."""
    start = Barrier(2)

    def run(engine, command):
        start.wait()
        return engine.execute(command)

    with ThreadPoolExecutor(2) as pool:
        return [answer.status for answer in pool.map(run, engines, commands)]


def deliver(engine, gateway):
    for notification in gateway.take_notifications():
        engine.receive_notification(notification.headers, notification.body)


def authorized(engines, gateway, name, *, lifecycle="one_time", **parameters):
    command = Command(
        "authorize",
        name,
        key=f"{name}:a",
        lifecycle=lifecycle,
        amount=100,
        parameters=parameters,
    )
    engines[0].execute(command)
    deliver(engines[0], gateway)


def captured(engines, gateway, name):
    authorized(engines, gateway, name)
    engines[0].execute(Command("capture", name, key=f"{name}:c"))


def sent(gateway, name, wire):
    return sum(exchange.command == wire for exchange in gateway.books[name].exchanges)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_one_opening_under_one_key_is_sent_once(engines, gateway, number):
    command = Command("authorize", "order", key="k", lifecycle="one_time", amount=100)
    statuses = race(engines, command, command)
    assert set(statuses) <= {Status.PENDING, Status.UNKNOWN}
    assert sent(gateway, "order", "Authorize") == 1
    deliver(engines[1], gateway)
    assert engines[0].transaction("order").status == "payment.authorized"


@pytest.mark.parametrize("number", range(ROUNDS))
def test_one_capture_under_one_key_is_sent_once(engines, gateway, number):
    authorized(engines, gateway, "order")
    command = Command("capture", "order", key="k", amount=60)
    statuses = race(engines, command, command)
    assert Status.SUCCEEDED in statuses
    assert sent(gateway, "order", "Capture") == 1
    assert engines[0].transaction("order").amounts["captured"] == 60


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_capture_and_a_cancel_have_one_winner(engines, gateway, number):
    authorized(engines, gateway, "order")
    statuses = race(
        engines,
        Command("capture", "order", key="1"),
        Command("cancel", "order", key="2"),
    )
    assert sorted(statuses) == [Status.DENIED, Status.SUCCEEDED]
    assert sent(gateway, "order", "Capture") + sent(gateway, "order", "Cancel") == 1


@pytest.mark.parametrize("number", range(ROUNDS))
def test_two_refunds_of_sixty_from_a_hundred_have_one_winner(engines, gateway, number):
    captured(engines, gateway, "order")
    statuses = race(
        engines,
        Command("refund", "order", amount=60, key="1"),
        Command("refund", "order", amount=60, key="2"),
    )
    assert sorted(statuses) == [Status.DENIED, Status.SUCCEEDED]
    assert gateway.books["order"].refunded == 60
    assert engines[1].transaction("order").amounts["refunded"] == 60


@pytest.mark.parametrize("number", range(ROUNDS))
def test_two_refunds_that_fit_are_both_carried_out(engines, gateway, number):
    captured(engines, gateway, "order")
    statuses = race(
        engines,
        Command("refund", "order", amount=40, key="1"),
        Command("refund", "order", amount=40, key="2"),
    )
    assert statuses == [Status.SUCCEEDED, Status.SUCCEEDED]
    assert gateway.books["order"].refunded == 80
    assert engines[1].transaction("order").amounts["refunded"] == 80


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_charge_and_a_termination_agree_with_the_gateway(engines, gateway, number):
    authorized(engines, gateway, "agreement", lifecycle="recurring", **MONTHLY)
    charge = Command(
        "reauthorize",
        "charge",
        key="1",
        lifecycle="charge",
        agreement="agreement",
        amount=50,
    )
    statuses = race(engines, charge, Command("terminate", "agreement", key="2"))
    assert statuses[1] is Status.SUCCEEDED
    # Begun before the termination it may still reach the gateway after it.
    assert statuses[0] in {Status.SUCCEEDED, Status.DENIED, Status.UNKNOWN}
    if statuses[0] is Status.DENIED:
        assert "charge" not in gateway.books
    if "charge" in gateway.books:
        assert engines[0].transaction("charge").status == "payment.authorized"
