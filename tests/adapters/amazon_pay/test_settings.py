"""Settings: from the environment, checked, and never shown."""

import pickle

import pytest

from kessai.errors import InvalidInput
from kessai_adapters.amazon_pay import AmazonCredentials, AmazonPay
from kessai_adapters.emulators.amazon_pay import as_pem, merchant_key

PREFIX = "KESSAI_AMAZON_PAY_"


@pytest.fixture
def environment():
    names = {
        "MERCHANT_ID": "A0MERCHANT",
        "STORE_ID": "amzn1.application-oa2-client.store",
        "KEY_ID": "LIVE-AAAABBBBCCCC",
        "KEY": as_pem(merchant_key()).replace("\n", "\\n"),
        "REGION": "jp",
    }
    return {PREFIX + name: value for name, value in names.items()}


def test_the_regions_host_is_asked_under_the_path_of_the_keys_environment(environment):
    adapter = AmazonPay.from_environment(environment)
    assert adapter.calls.root == "https://pay-api.amazon.jp/v2"
    assert adapter.account == "amazon_pay/A0MERCHANT/jp-live"


def test_an_older_key_has_its_environment_in_the_path(environment):
    environment |= {f"{PREFIX}KEY_ID": "AAAABBBBCCCC", f"{PREFIX}REGION": "na"}
    with pytest.raises(InvalidInput, match="environment must be said"):
        AmazonPay.from_environment(environment)
    environment[f"{PREFIX}ENVIRONMENT"] = "sandbox"
    adapter = AmazonPay.from_environment(environment)
    assert adapter.calls.root == "https://pay-api.amazon.com/sandbox/v2"


def test_a_live_key_is_not_taken_for_the_sandbox(environment):
    environment[f"{PREFIX}ENVIRONMENT"] = "sandbox"
    with pytest.raises(InvalidInput, match="is one for live"):
        AmazonPay.from_environment(environment)


def test_a_stand_in_on_loopback_is_an_account_of_its_own(environment):
    environment[f"{PREFIX}HOST"] = "http://127.0.0.1:8443"
    adapter = AmazonPay.from_environment(environment)
    assert adapter.account == "amazon_pay/A0MERCHANT/jp-emulator"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MERCHANT_ID", "a b"),
        ("STORE_ID", "ä"),
        ("KEY_ID", "short"),
        ("KEY", "no key at all"),
        ("REGION", "mars"),
        ("HOST", "http://pay-api.amazon.jp"),
        ("HOST", "https://127.0.0.1:99999999"),
        ("ALGORITHM", "none"),
        ("TOPIC", "arn:aws:sqs:us-east-1:1:x"),
        ("ENVIRONMENT", "production"),
    ],
)
def test_a_wrong_setting_is_named_and_not_shown(environment, name, value):
    with pytest.raises(InvalidInput, match=f"^{PREFIX}{name}: ") as refusal:
        AmazonPay.from_environment({**environment, PREFIX + name: value})
    assert value not in str(refusal.value)


def test_what_is_missing_is_named(environment):
    del environment[f"{PREFIX}KEY"], environment[f"{PREFIX}REGION"]
    with pytest.raises(InvalidInput, match=f"{PREFIX}KEY and {PREFIX}REGION are not"):
        AmazonPay.from_environment(environment)


def test_the_private_key_is_in_no_repr_and_in_no_pickle(environment):
    adapter = AmazonPay.from_environment(environment)
    shown = repr(adapter) + repr(adapter.credentials) + repr(adapter._signer)
    assert "PRIVATE" not in shown
    assert "LIVE-AAAABBBBCCCC" not in shown
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(adapter.credentials)


def test_a_short_key_is_refused():
    from Crypto.PublicKey import RSA

    short = RSA.generate(1024).export_key().decode()  # noqa: S505 - that is the point
    with pytest.raises(InvalidInput, match="2048 bits"):
        AmazonCredentials("m", "s", "SANDBOX-X", short)
