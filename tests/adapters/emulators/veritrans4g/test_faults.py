"""Misbehaviour: what the books know of it, and what the gateway plays itself."""

import json

import pytest

from kessai.gateway import Failure, Request
from kessai_adapters.emulators import Fault, OutOfPlay
from kessai_adapters.emulators.in_process import EmulatorTransport
from kessai_adapters.emulators.veritrans4g import Emulator, OwnFault

HOST = "https://api3.veritrans.co.jp"
CAPTURE = f"{HOST}/paynow/v2/Capture/amazonpay"
HEADERS = (("Content-Type", "application/json"),)


@pytest.fixture
def capture(emulator, shop, sign):
    """Return a function that sends the capture of an authorized order."""
    shop.authorized("A-1", 1000)
    body = sign({"orderId": "A-1", **shop.common()}).encode()
    request = Request(method="POST", url=CAPTURE, headers=HEADERS, body=body)
    return lambda: EmulatorTransport(emulator).send(request)


@pytest.mark.parametrize(
    ("fault", "sent", "status"),
    [
        (Fault.REFUSE_CONNECTION, False, "authorized"),
        (Fault.LOSE_REQUEST, True, "authorized"),
        (Fault.LOSE_REPLY, True, "captured"),
    ],
)
def test_the_network_loses_a_request_or_its_reply(capture, shop, fault, sent, status):
    shop.emulator.misbehave(fault, command="Capture")
    failure = capture()
    assert isinstance(failure, Failure)
    assert failure.sent is sent
    assert shop.status("A-1") == status


def test_a_reply_may_come_in_shift_jis(capture, emulator):
    emulator.misbehave(OwnFault.SHIFT_JIS, command="Capture")
    body = capture().body
    with pytest.raises(UnicodeDecodeError):
        body.decode()
    assert json.loads(body.decode("shift_jis"))["result"]["mstatus"] == "success"


def test_a_fault_strikes_as_often_as_asked_and_only_its_command(shop, emulator):
    emulator.misbehave(OwnFault.REFUSE, command="Capture", times=2)
    shop.authorized("A-1")
    assert shop.refused("Capture", "A-1") == "NH080000"
    assert shop.refused("Capture", "A-1") == "NH080000"
    shop.ok("Capture", "A-1")
    assert [entry[1] for entry in shop.trail("A-1")] == [
        "success",
        "failure",
        "failure",
        "success",
    ]


def test_a_refused_application_has_used_up_its_id(shop, emulator):
    emulator.misbehave(OwnFault.REFUSE, command="Authorize")
    reply = shop.send("Authorize", "A-1", amount="5")
    entry = shop.inquire("A-1")["transactionInfos"]["transactionInfo"][0]
    assert entry["txnId"] == reply["custTxn"]
    assert shop.status("A-1") == "failed"
    assert shop.refused("Authorize", "A-1", amount="5") == "NH050000"


def test_an_inquiry_can_be_refused_and_can_never_be_pending(shop, emulator):
    shop.authorized("A-1")
    emulator.misbehave(OwnFault.REFUSE, command="Search")
    assert shop.search("A-1")["mstatus"] == "failure"
    emulator.misbehave(OwnFault.PENDING)
    assert shop.search("A-1")["mstatus"] == "success"
    for command in ("Search", "GetAddress"):
        with pytest.raises(ValueError, match="cannot be pending"):
            emulator.misbehave(OwnFault.PENDING, command=command)


@pytest.mark.parametrize(
    ("command", "before", "done"),
    [
        ("Capture", "authorized", "captured"),
        ("Cancel", "authorized", "cancelled"),
    ],
)
def test_a_pending_command_blocks_the_others_until_it_is_final(
    shop, emulator, command, before, done
):
    for order_id in ("A-1", "A-2"):
        shop.authorized(order_id)
        emulator.misbehave(OwnFault.PENDING, command=command)
        reply = shop.send(command, order_id)
        assert reply["mstatus"] == "pending"
        assert reply["vResultCode"].startswith("A002")
        assert shop.trail(order_id)[-1][:2] == (command, "pending")
        assert shop.status(order_id) == before
        for other in ("Capture", "Cancel", "UpdateAuthorize"):
            assert shop.refused(other, order_id, amount="1") == "NH020010"

    emulator.complete("A-1")
    emulator.fail("A-2")
    assert shop.status("A-1") == done
    assert shop.status("A-2") == before
    with pytest.raises(OutOfPlay):
        emulator.complete("A-1")


def test_a_pending_authorization_is_final_when_the_test_says_so(shop, emulator):
    for order_id in ("A-1", "A-2"):
        emulator.misbehave(OwnFault.PENDING, command="Authorize")
        reply = shop.send("Authorize", order_id, amount="10", withCapture="true")
        assert reply["mstatus"] == "pending"
        assert shop.trail(order_id) == [("Authorize", "pending", "10")]
    emulator.complete("A-1")
    emulator.fail("A-2")
    assert shop.status("A-1") == "captured"
    assert shop.status("A-2") == "failed"


def test_an_authorization_that_is_pending_for_two_days_has_failed(
    shop, emulator, clock
):
    emulator.misbehave(OwnFault.PENDING, command="Authorize")
    shop.send("Authorize", "A-1", amount="10")
    clock.pass_days(2)
    emulator.complete("A-1")
    assert shop.status("A-1") == "failed"


def test_a_consumers_approval_does_not_resolve_a_pending_authorization(shop, emulator):
    emulator.approve = "ask"
    emulator.misbehave(OwnFault.PENDING, command="Authorize")
    shop.send("Authorize", "A-1", amount="10", successUrl="https://shop.example/")
    assert "mstatus=pending" in emulator.consumer.approve("A-1")
    assert shop.status("A-1") == "requested"
    emulator.complete("A-1")
    assert shop.status("A-1") == "authorized"


def test_a_pending_reauthorization_is_an_order_already(shop, emulator):
    shop.consented("R-1")
    emulator.misbehave(OwnFault.PENDING, command="ReAuthorize")
    reply = shop.send("ReAuthorize", "R-2", originalOrderId="R-1", amount="9")
    assert reply["mstatus"] == "pending"
    assert shop.refused("Capture", "R-2") == "NH020001"
    emulator.complete("R-2")
    assert shop.status("R-2") == "authorized"


def test_an_application_that_waits_for_its_consumer_is_not_for_a_test_to_settle(
    shop, emulator
):
    emulator.approve = "ask"
    shop.authorized("A-1")
    for resolve in (emulator.complete, emulator.fail):
        with pytest.raises(OutOfPlay):
            resolve("A-1")


def test_of_several_pending_refunds_one_can_be_chosen(shop, emulator):
    shop.captured("A-1", 100)
    emulator.misbehave(OwnFault.PENDING, command="Refund", times=2)
    shop.send("Refund", "A-1", amount="10")
    second = shop.send("Refund", "A-1", amount="20")
    emulator.complete("A-1", txn_id=second["custTxn"])
    assert emulator.books["A-1"].refunded == 20
    emulator.fail("A-1")
    assert emulator.books["A-1"].refundable == 80


def test_the_emulator_runs_without_the_engine():
    import sys
    from subprocess import run

    program = (
        "import sys\n"
        "from kessai_adapters.emulators.veritrans4g import Emulator; Emulator()\n"
        "assert not {name for name in sys.modules if name == 'kessai' or "
        "name.startswith(('kessai.', 'kessai_specs'))}\n"
    )
    run([sys.executable, "-c", program], check=True, timeout=300)


def test_the_default_clock_is_aware_and_in_utc(shop):
    with Emulator() as emulator:
        shop.emulator = emulator
        shop.authorized("A-1")
        moment = emulator.books["A-1"].application.at
    assert moment.utcoffset().total_seconds() == 0
