"""Settings from the environment: checked once, and shown nowhere."""

import pickle
from importlib.metadata import entry_points

import pytest

from kessai.errors import InvalidInput
from kessai_adapters.stripe import Stripe, StripeCredentials

RIGHT = {
    "KESSAI_STRIPE_KEY": "sk_test_0123456789",
    "KESSAI_STRIPE_ACCOUNT": "acct_1Shop",
    "KESSAI_STRIPE_WEBHOOK_SECRET": "whsec_0123456789,whsec_9876543210",
}


def made(**more):
    return Stripe.from_environment({**RIGHT, **more})


@pytest.mark.parametrize(
    ("more", "account"),
    [
        ({}, "stripe/acct_1Shop/test"),
        ({"KESSAI_STRIPE_KEY": "rk_live_0123456789"}, "stripe/acct_1Shop/live"),
        ({"KESSAI_STRIPE_HOST": "http://127.0.0.1:9"}, "stripe/acct_1Shop/emulator"),
    ],
)
def test_the_account_stays_when_a_key_is_rolled(more, account):
    assert made(**more).account == account


def test_nothing_shows_a_secret():
    adapter = made()
    shown = repr(adapter)
    secrets = ("0123456789", "9876543210")
    assert not any(secret in shown for secret in secrets)
    with pytest.raises(TypeError):
        pickle.dumps(adapter)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KEY", ""),
        ("KEY", "pk_test_0123456789"),
        ("ACCOUNT", ""),
        ("ACCOUNT", "shop"),
        ("WEBHOOK_SECRET", "hunter2hunter2"),
        ("WEBHOOK_SECRET", "whsec_0123456789,"),
        ("WEBHOOK_SECRET", "whsec_0123456789,whsec_0123456789,whsec_0123456789"),
        ("HOST", "http://api.stripe.com"),
    ],
)
def test_a_wrong_setting_is_named_and_not_shown(name, value):
    with pytest.raises(InvalidInput) as refusal:
        made(**{f"KESSAI_STRIPE_{name}": value})
    assert f"KESSAI_STRIPE_{name}" in str(refusal.value)
    assert not value or value not in str(refusal.value)


def test_without_a_secret_it_can_be_made():
    assert made(KESSAI_STRIPE_WEBHOOK_SECRET="").credentials.webhook_secrets == ()


def test_it_is_found_by_its_name():
    (point,) = entry_points(group="kessai.adapters", name="stripe")
    assert point.load() is Stripe


def test_credentials_of_a_wrong_kind_are_refused():
    with pytest.raises(InvalidInput):
        StripeCredentials("sk_test_0123456789", "whsec_0123456789,nothing")
