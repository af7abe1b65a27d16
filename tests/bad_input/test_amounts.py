"""An amount is a whole number of minor units, at every door; else nothing begins."""

import hmac
import json
import shutil
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction

import pytest

import kessai_specs
from kessai import Command, Engine, MemoryStore, load_file
from kessai.driver import utc_now
from kessai.errors import InvalidCommand, InvalidInput
from kessai.gateway import INQUIRY, Call, Outcome, Reply
from kessai.machine import Transaction, compile_lifecycle, decide
from kessai.money import AMOUNT_LIMIT, Currency, minor_digits
from kessai_adapters.emulators.veritrans4g import DEFAULT_CCID, DEFAULT_KEY
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G


class Coin(IntEnum):
    TEN = 10


NO_AMOUNTS = {
    "2 to the 63": 2**63,
    "2 to the 64": 2**64,
    "minus 2 to the 63": -(2**63),
    "5,000 digits": 10**5000,
    "the limit": AMOUNT_LIMIT,
    "a float": 100.0,
    "half a yen": 0.5,
    "not a number": float("nan"),
    "infinity": float("inf"),
    "true": True,
    "false": False,
    "digits": "100",
    "an exponent": "1e3",
    "full-width digits": "１００",
    "separated": "1,000",
    "nothing written": "",
    "a decimal": Decimal(100),
    "a fraction": Fraction(100),
    "bytes": b"100",
    "a list": [100],
    "an enumeration": Coin.TEN,
}


@pytest.mark.parametrize("amount", NO_AMOUNTS.values(), ids=NO_AMOUNTS)
@pytest.mark.parametrize("name", ["authorize", "capture", "refund"])
def test_what_is_no_amount_is_refused_and_leaves_no_trace(shop, name, amount):
    shop.apply(key="before")
    shop.engine.recover_transaction("order")
    before = shop.traces()

    with pytest.raises(InvalidCommand) as refusal:
        shop.do(name, "order", amount=amount)

    assert str(refusal.value) == (
        "amount: a whole number of minor units below 1,000,000,000,000,000"
    )
    assert shop.traces() == before


@pytest.mark.parametrize("amount", [0, -1, 1 - AMOUNT_LIMIT])
def test_less_than_one_yen_is_denied_and_sends_nothing(shop, amount):
    answer = shop.apply(amount=amount)

    assert answer.denial.codes == ("amount_below_minimum",)
    assert (answer.denial.bounds.minimum, shop.wire.sent) == (1, [])


@pytest.mark.parametrize("amount", [10_000_001, AMOUNT_LIMIT - 1])
def test_more_than_the_gateway_takes_is_denied_and_sends_nothing(shop, amount):
    answer = shop.apply(amount=amount)

    assert answer.denial.codes == ("amount_above_maximum",)
    assert (answer.denial.bounds.maximum, shop.wire.sent) == (10_000_000, [])


@pytest.mark.parametrize("value", NO_AMOUNTS.values(), ids=NO_AMOUNTS)
def test_nor_is_it_a_frequency(shop, value):
    before = shop.traces()
    frequency = {"unit": "Month", "value": value}
    with pytest.raises(InvalidCommand, match=r"^frequency: a text, true or false, or"):
        shop.apply(lifecycle="recurring", parameters={"frequency": frequency})
    assert shop.traces() == before


LINE = (
    '{"at":"2026-01-01T00:00:00Z","command":"authorize","transaction":"one",'
    '"lifecycle":"one_time","key":"k","amount":%s}'
)
WRITTEN = [
    *("9223372036854775808", "18446744073709551616", "1000000000000000", "9" * 5000),
    *("100.0", "0.5", "1e3", "1E3", "NaN", "Infinity", "-Infinity", "true", "null"),
    *(
        '"100"',
        '"1e3"',
        '"１００"',
        '""',
        "[100]",
        "{}",
        "１００",
        "+1",
        "0100",
        "0x64",
    ),
]


@pytest.mark.parametrize("written", WRITTEN)
def test_a_file_with_one_is_refused_in_its_place(kessai, tmp_path, written):
    path = tmp_path / "orders.jsonl"
    path.write_text(LINE % written, "utf-8")

    result = kessai("run", path, "--db", tmp_path / "never.db")

    column = (LINE % written).index('"amount":') + 1
    message = result.err.removeprefix(f"{path}:1:")
    assert result.code == 2
    assert column <= int(message.partition(":")[0]) <= column + len('"amount":') + 2
    assert "right" in message or "minor units below" in message
    assert len(result.err) < 400
    assert not (tmp_path / "never.db").exists()


TOO_MUCH = [
    *("1000000000000000", "999999999999999999", "9223372036854775808"),
    *("18446744073709551616", "9" * 5000),
]
TYPED = [
    *("-1", "+1", "1e3"),
    *("100.0", "NaN", "True", "１００", "", " 100", "1,000", "¥100", "0x64", "\ud800"),
]


@pytest.mark.parametrize("typed", TYPED)
def test_a_shell_with_one_is_refused(kessai, tmp_path, typed):
    asked = ("tx", "do", "one", "authorize", "--lifecycle", "one_time", "--amount")

    result = kessai(*asked, typed, "--db", tmp_path / "never.db")

    assert result.code == 2
    assert "in plain digits, such as" in result.err.replace("\n", " ")
    assert len(result.err) < 400
    assert not (tmp_path / "never.db").exists()


@pytest.mark.parametrize("typed", TOO_MUCH)
def test_a_shell_with_too_much_is_told_the_most(kessai, tmp_path, typed):
    asked = ("tx", "do", "one", "authorize", "--lifecycle", "one_time", "--amount")

    result = kessai(*asked, typed, "--db", tmp_path / "never.db")

    assert result.code == 2
    message = result.err.replace("\n", " ")
    assert "is more than any amount; the most is 999,999,999,999,999" in message
    assert len(result.err) < 400
    assert not (tmp_path / "never.db").exists()


ABSURD = [
    *("9223372036854775808", "18446744073709551616", "1" + "0" * 15, "9" * 4000),
    *("-1", "1e3", "100.0", "NaN", "true", '"1e3"', '"-1"', '"１００"', '"1,000"'),
    *('"10 0"', '"0x64"', "[100]", "{}", '"' + "9" * 16 + '"'),
]
ADAPTER = VeriTrans4G(Credentials(DEFAULT_CCID, DEFAULT_KEY), dummy=True)


def reply(text):
    return Reply(status=200, body=text.encode())


@pytest.mark.parametrize("written", ABSURD)
def test_a_inquiry_with_one_says_nothing_at_all(written):
    call = Call(command=INQUIRY, transaction="order", lifecycle="one_time")
    body = (
        '{"result":{"mstatus":"success","searchCount":"1","orderInfos":{"orderInfo":['
        '{"orderId":"order","serviceTypeCd":"amazonpay","transactionInfos":'
        '{"transactionInfo":[{"command":"Refund","mstatus":"success","amount":%s}]}}]}}}'
    )
    assert ADAPTER.evidence(call, reply(body % '"100"')).listing[0].amount == 100

    evidence = ADAPTER.evidence(call, reply(body % written))

    # Without its amount the refund would resolve one of any other.
    assert (evidence.outcome, evidence.listing) == (Outcome.UNKNOWN, ())


@pytest.mark.parametrize("written", dict.fromkeys(text.strip('" ') for text in ABSURD))
def test_a_notification_with_one_is_no_more_than_a_reason_to_ask(written):
    body = (
        "numberOfNotify=1&pushTime=20260101000000&pushId=1&orderId0000=order"
        "&vResultCode0000=A001000000000000&txnType0000=Authorize&mstatus0000=success"
        f"&dummy0000=1&amount0000={written}"
    ).encode()
    proof = hmac.digest(bytes.fromhex(DEFAULT_KEY), body, "sha256").hex()
    headers = {"Content-Hmac": f"h=HmacSHA256;s={DEFAULT_CCID};v={proof}"}

    (evidence,) = ADAPTER.notification(headers, body)

    assert (evidence.outcome, evidence.amount) == (Outcome.UNKNOWN, None)
    assert evidence.needs_inquiry


@pytest.mark.parametrize("written", ABSURD)
def test_a_reply_with_one_discloses_nothing_of_it(written):
    call = Call(command="refund", transaction="order", lifecycle="one_time", amount=1)
    body = '{"result":{"mstatus":"success","orderId":"order","refundableAmount":%s}}'

    evidence = ADAPTER.evidence(call, reply(body % written))

    assert evidence.disclosed == {}
    unreadable = written == "NaN"  # no JSON: nothing of the reply is believed
    assert evidence.outcome is (Outcome.UNKNOWN if unreadable else Outcome.SUCCEEDED)


@pytest.mark.parametrize("amount", NO_AMOUNTS.values(), ids=NO_AMOUNTS)
def test_an_adapter_sends_none(amount):
    call = Call(
        command="capture", transaction="order", lifecycle="one_time", amount=amount
    )
    with pytest.raises(InvalidInput, match="integer of yen"):
        ADAPTER.request(call)


@pytest.mark.parametrize(
    ("currency", "digits", "shown"),
    [
        ("JPY", 0, "1,234,567 JPY"),
        ("USD", 2, "12,345.67 USD"),
        ("KWD", 3, "1,234.567 KWD"),
        ("CLF", 4, "123.4567 CLF"),
    ],
)
def test_every_currency_is_shown_in_its_own_units(currency, digits, shown):
    assert minor_digits(currency) == digits
    known = Currency(currency, digits)
    assert known.show(1_234_567) == shown
    assert known.show(-1_234_567) == f"-{shown}"
    assert known.show(AMOUNT_LIMIT - 1).count("9") == 15


@pytest.mark.parametrize("currency", ["", "XXX", "jpy", "ＪＰＹ", "JPY\0", "x" * 10**7])
def test_what_is_no_currency_is_refused_in_a_few_words(currency):
    with pytest.raises(InvalidInput, match="not an ISO 4217 code") as refusal:
        minor_digits(currency)
    assert len(str(refusal.value)) < 100


@pytest.fixture(params=["USD", "KWD"])
def foreign(request, tmp_path):
    """The one-time lifecycle in another currency."""
    source = next(iter(kessai_specs.__path__))
    shutil.copytree(source, tmp_path / "specs")
    path = tmp_path / "specs" / "one_time.toml"
    text = path.read_text("utf-8").replace("{ JPY = 0 }", json.dumps([request.param]))
    path.write_text(text, "utf-8")
    return load_file(path)


def test_a_denial_names_amounts_in_the_lifecycles_currency(foreign):
    machine = compile_lifecycle(foreign)
    command = Command(
        "authorize", "o", key="k", lifecycle="one_time", amount=10_000_001
    )

    denial = decide(machine, Transaction("o"), command, utc_now())

    most = {"USD": "100,000.00 USD", "KWD": "10,000.000 KWD"}[
        next(iter(foreign.currencies))
    ]
    assert most in str(denial)


def test_ten_dollars_are_never_sent_where_the_wire_would_take_them_for_yen(foreign):
    class Nobody:
        def close(self):
            pass

    store = MemoryStore()
    engine = Engine(
        adapters=[ADAPTER], store=store, transport=Nobody(), lifecycles=[foreign]
    )
    ask = Command("authorize", "o", key="k", lifecycle="one_time", amount=1000)
    with pytest.raises(InvalidInput, match="the currency must be JPY"):
        engine.execute(ask)
    assert (list(store.transactions()), list(store.trails())) == ([], [])
