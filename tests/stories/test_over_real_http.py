"""The same stories over sockets: HTTP, and HTTPS with an authority of the test's own."""

import ssl
from contextlib import closing

import pytest
import trustme

from kessai import Command, Engine, HttpTransport, MemoryStore, SQLiteStore
from kessai.audit import verify
from kessai_adapters.emulators import serve
from kessai_adapters.emulators.veritrans4g import DEFAULT_CCID, DEFAULT_KEY, Emulator
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G


@pytest.fixture
def emulator():
    with Emulator(approve="ask") as emulator:
        yield emulator


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(params=["http", "https"])
def wire(request, emulator, authority, tmp_path):
    """The gateway's address, and a transport that reaches it."""
    if request.param == "http":
        with serve(emulator) as server:
            yield server.url, HttpTransport()
        return
    certificate = authority.issue_cert("127.0.0.1")
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    certificate.cert_chain_pems[0].write_to_path(files[0])
    certificate.private_key_pem.write_to_path(files[1])
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with serve(emulator, tls=files) as server:
        yield server.url, HttpTransport(tls=context)


@pytest.fixture(params=["memory", "sqlite"])
def engine(request, wire, tmp_path):
    url, transport = wire
    engine = Engine(
        adapters=[adapter_for(url)],
        store=MemoryStore()
        if request.param == "memory"
        else SQLiteStore(tmp_path / "shop.db"),
        transport=transport,
    )
    with closing(engine):
        yield engine


def adapter_for(url):
    return VeriTrans4G(
        Credentials(DEFAULT_CCID, DEFAULT_KEY),
        host=url,
        dummy=True,
        notification_url="https://shop.example/push",
    )


def apply():
    return Command("authorize", "order", key="1", lifecycle="one_time", amount=1000)


def notification_all(engine, emulator):
    for notification in emulator.take_notifications():
        engine.receive_notification(notification.headers, notification.body)


def assert_books_agree(engine, emulator):
    ours, theirs = engine.transaction("order"), emulator.books["order"]
    assert ours.states["payment"] == theirs.payment
    for name in ("authorized", "captured", "released", "refunded", "refunding"):
        assert ours.amounts[name] == getattr(theirs, name)
    assert ours.operations == {}
    assert verify(engine.store).holds


def test_applied_for_captured_in_part_and_refunded(engine, emulator, wire):
    url, _ = wire
    answer = engine.execute(apply())
    assert answer.status == "pending"
    assert url in answer.disclosed["page"]
    emulator.consumer.approve("order")
    notification_all(engine, emulator)
    assert engine.transaction("order").status == "payment.authorized"
    for number, (name, amount) in enumerate(
        [("capture", 700), ("refund", 300), ("refund", 400)], start=2
    ):
        command = Command(name, "order", key=str(number), amount=amount)
        assert engine.execute(command).status == "succeeded"
    notification_all(engine, emulator)
    assert engine.transaction("order").status == "payment.refunded"
    assert_books_agree(engine, emulator)


@pytest.mark.parametrize(
    "fault",
    ["lose_reply", "http_500", "http_502", "garbage", "truncate", "refuse_connection"],
)
def test_a_reply_broken_off_is_inquired_about(engine, emulator, fault):
    engine.execute(apply())
    emulator.consumer.approve("order")
    notification_all(engine, emulator)
    emulator.misbehave(fault, command="Capture")
    capture = Command("capture", "order", key="2", amount=700)
    # A port that listens cannot refuse: that nothing was sent cannot be known.
    assert engine.execute(capture).status == "unknown"
    [resolved] = engine.recover()
    happened = fault != "refuse_connection"
    assert resolved.status == ("succeeded" if happened else "unknown")
    if happened:
        notification_all(engine, emulator)
        assert_books_agree(engine, emulator)


def test_nobody_listens(emulator):
    with serve(emulator) as server:
        url = server.url
    with Engine(adapters=[adapter_for(url)], store=MemoryStore()) as engine:
        answer = engine.execute(apply())
        assert answer.status == "declined"
        assert answer.may_send_again


def test_an_authority_that_is_not_trusted(emulator, authority, tmp_path):
    certificate = authority.issue_cert("127.0.0.1")
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    certificate.cert_chain_pems[0].write_to_path(files[0])
    certificate.private_key_pem.write_to_path(files[1])
    with (
        serve(emulator, tls=files) as server,
        Engine(adapters=[adapter_for(server.url)], store=MemoryStore()) as engine,
    ):
        answer = engine.execute(apply())
        assert answer.status == "declined"
        assert answer.evidence.never_sent
    assert len(emulator.books) == 0
