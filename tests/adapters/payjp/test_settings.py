"""What the adapter is set by: checked, named where it is wrong, and never shown."""

import pickle

import pytest

from kessai.errors import InvalidInput
from kessai_adapters.payjp import Credentials, PayJp

KEY = "sk_test_" + "a1" * 12
GIVEN = {"KESSAI_PAYJP_KEY": KEY, "KESSAI_PAYJP_MERCHANT": "shop"}


def made(**more):
    return PayJp.from_environment({**GIVEN, **more})


def test_a_key_and_the_merchants_name_are_enough():
    adapter = made()
    assert (adapter.host, adapter.account) == ("https://api.pay.jp", "payjp/shop/test")
    assert adapter.credentials.webhook_token is None


def test_the_key_says_whether_payments_are_live():
    assert made(KESSAI_PAYJP_KEY=f"sk_live_{'a1' * 12}").account == "payjp/shop/live"


def test_what_is_on_loopback_is_a_stand_in():
    host = "http://127.0.0.1:8080"
    assert made(KESSAI_PAYJP_HOST=host).account == "payjp/shop/emulator"


def test_a_new_key_changes_no_account():
    assert made(KESSAI_PAYJP_KEY=f"sk_test_{'b2' * 12}").account == made().account


@pytest.mark.parametrize("name", GIVEN)
def test_a_missing_variable_is_named(name):
    with pytest.raises(InvalidInput, match=name):
        PayJp.from_environment({**GIVEN, name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KESSAI_PAYJP_KEY", "pk_test_1234567890"),
        ("KESSAI_PAYJP_KEY", f"{KEY}\n"),
        ("KESSAI_PAYJP_MERCHANT", "the shop"),
        ("KESSAI_PAYJP_HOST", "http://api.pay.jp"),
        ("KESSAI_PAYJP_WEBHOOK_TOKEN", "short"),
    ],
)
def test_a_wrong_value_is_named_and_not_shown(name, value):
    with pytest.raises(InvalidInput, match=name) as caught:
        made(**{name: value})
    assert value.strip() not in str(caught.value)


def test_no_secret_is_in_a_repr_or_pickled():
    token = "whook_" + "c3" * 12
    adapter = made(KESSAI_PAYJP_WEBHOOK_TOKEN=token)
    shown = repr((adapter, adapter.credentials))
    assert KEY not in shown
    assert token not in shown
    with pytest.raises(TypeError):
        pickle.dumps(Credentials(KEY))


def test_no_time_is_promised_for_keys():
    assert made().replays is None
