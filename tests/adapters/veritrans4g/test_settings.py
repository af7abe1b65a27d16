"""The adapter's settings: checked once, named when wrong, and never shown."""

import copy
import pickle
from importlib.metadata import entry_points
from typing import Any

import pytest

from kessai.errors import InvalidInput
from kessai.gateway import Adapter, Call, Failure
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G

CCID = "A100000000000000000000cc"


def environment(secret: str, **more: str) -> dict[str, str]:
    prefixed = {f"KESSAI_VERITRANS_{name}": value for name, value in more.items()}
    return {
        "KESSAI_VERITRANS_CCID": CCID,
        "KESSAI_VERITRANS_KEY": secret,
        **prefixed,
    }


def test_it_is_an_adapter_under_its_name(adapter: VeriTrans4G) -> None:
    contract: Adapter = adapter
    assert contract.name == "veritrans4g"
    (point,) = entry_points(group="kessai.adapters", name="veritrans4g")
    assert point.load() is VeriTrans4G


def test_left_alone_it_is_live_and_calls_the_gateway(credentials: Credentials) -> None:
    adapter = VeriTrans4G(credentials)
    assert (adapter.host, adapter.dummy) == ("https://api3.veritrans.co.jp", False)


def test_it_is_made_from_the_environment(
    secret: str, credentials: Credentials, adapter: VeriTrans4G
) -> None:
    assert VeriTrans4G.from_environment(environment(secret)) == VeriTrans4G(credentials)
    environ = environment(
        secret,
        HOST="https://api3.veritrans.co.jp/",
        DUMMY="TRUE",
        NOTIFICATION_URL="https://shop.example/push",
    )
    assert VeriTrans4G.from_environment(environ) == adapter


def test_an_empty_variable_is_an_unset_one(
    secret: str, credentials: Credentials
) -> None:
    environ = environment(secret, HOST="", DUMMY="", NOTIFICATION_URL="")
    assert VeriTrans4G.from_environment(environ) == VeriTrans4G(credentials)


@pytest.mark.parametrize("variable", ["KESSAI_VERITRANS_CCID", "KESSAI_VERITRANS_KEY"])
def test_a_variable_that_is_missing_is_named(variable: str, secret: str) -> None:
    environ = environment(secret)
    del environ[variable]
    with pytest.raises(InvalidInput, match=f"^{variable} is not set"):
        VeriTrans4G.from_environment(environ)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CCID", "planted ccid"),
        ("KEY", "planted"),
        ("KEY", "4f3c2b1a" * 8 + "0"),
        ("HOST", "http://planted.example"),
        ("DUMMY", "planted"),
        ("NOTIFICATION_URL", "ftp://planted.example"),
        ("NOTIFICATION_URL", "https://planted.example/" + "x" * 256),
        ("NOTIFICATION_URL", "https://planted.example/注文"),
    ],
)
def test_a_variable_that_is_wrong_is_named_and_not_shown(
    name: str, value: str, secret: str
) -> None:
    with pytest.raises(InvalidInput, match=f"^KESSAI_VERITRANS_{name}: ") as mistake:
        VeriTrans4G.from_environment(environment(secret, **{name: value}))
    assert value not in str(mistake.value)
    assert mistake.value.__suppress_context__


@pytest.mark.parametrize(
    "host",
    [
        "https://api.veritrans.co.jp",
        "https://gateway.example:8443",
        "http://127.0.0.1:8080",
        "http://127.8.9.10",
        "http://localhost:9000",
        "http://LOCALHOST",
        "http://[::1]:8080",
    ],
)
def test_the_gateway_may_be_anywhere_by_https_and_here_by_http(
    host: str, credentials: Credentials
) -> None:
    assert VeriTrans4G(credentials, host=host + "/").host == host


@pytest.mark.parametrize(
    "host",
    [
        "http://api3.veritrans.co.jp",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://[2001:db8::1]",
        "http://0.0.0.0",
        "http://10.0.0.1",
        "https://user:planted@api3.veritrans.co.jp",
        "http://127.0.0.1@api3.veritrans.co.jp",
        "https://api3.veritrans.co.jp/path",
        "https://api3.veritrans.co.jp?x",
        "https://api3.veritrans.co.jp:99999",
        "https://api3.veritrans.co.jp\n",
        "ftp://127.0.0.1",
        "api3.veritrans.co.jp",
        "",
        None,
    ],
)
def test_any_other_host_is_refused(host: Any, credentials: Credentials) -> None:
    with pytest.raises(InvalidInput, match="host must be https"):
        VeriTrans4G(credentials, host=host)


@pytest.mark.parametrize("wrong", ["false", "", 0, None])
def test_dummy_is_a_switch_and_not_a_text(wrong: Any, credentials: Credentials) -> None:
    with pytest.raises(InvalidInput, match="true or false"):
        VeriTrans4G(credentials, dummy=wrong)


@pytest.mark.parametrize(
    "wrong", ["", "4f" * 31, "zz" * 32, "４" * 64, None, b"4f" * 32]
)
def test_a_secret_key_of_another_form_is_refused_and_not_shown(wrong: Any) -> None:
    with pytest.raises(InvalidInput, match="64 hexadecimal") as mistake:
        Credentials(CCID, wrong)
    assert not wrong or str(wrong) not in str(mistake.value)


@pytest.mark.parametrize("wrong", ["", "A1 00", "A" * 65, 'A"', None])
def test_a_ccid_of_another_form_is_refused(wrong: Any, secret: str) -> None:
    with pytest.raises(InvalidInput, match="CCID") as mistake:
        Credentials(wrong, secret)
    assert secret not in str(mistake.value)


def test_the_secret_is_in_nothing_that_is_shown(
    adapter: VeriTrans4G, credentials: Credentials, secret: str
) -> None:
    call = Call(command="capture", transaction="o-1", lifecycle="one_time", amount=1)
    shown: list[object] = [
        *(adapter, credentials, adapter._envelope),
        adapter.request(call),
        adapter.evidence(call, Failure(sent=True, reason="timed out")),
    ]
    for value in shown:
        assert secret not in f"{value!r} {value!s} {value}"
    assert secret.encode() not in adapter.request(call).body


def test_credentials_are_neither_pickled_nor_copied(
    adapter: VeriTrans4G, credentials: Credentials
) -> None:
    for value in (credentials, adapter):
        with pytest.raises(TypeError, match="never pickled"):
            pickle.dumps(value)
        with pytest.raises(TypeError, match="never pickled"):
            copy.deepcopy(value)
