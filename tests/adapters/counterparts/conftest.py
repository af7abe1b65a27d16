"""What the adapters and emulators are held against, each started once."""

import os
import sys
from pathlib import Path

import pytest
import trustme

from kessai_adapters.amazon_pay.local import LocalAmazonPay
from kessai_adapters.emulators.amazon_pay import (
    DEFAULT_KEY_ID,
    as_pem,
    merchant_key,
)

HERE = Path(__file__).parent
sys.path.append(str(HERE))
from counterpart import (  # noqa: E402 - found by that path
    AmazonClient,
    started,
    with_node,
    with_python,
)


@pytest.fixture(scope="session")
def localstripe():
    """The address of localstripe."""
    with started(with_python("localstripe", "serve_localstripe.py")) as (_, url):
        yield url


@pytest.fixture(scope="session")
def stateful_mock():
    """The address of stripe-stateful-mock."""
    command = with_node("stripe-stateful-mock", "serve_stateful_mock.js")
    with started(command) as (_, url):
        yield url


class AmazonOverTls:
    """Amazon Pay's emulator behind TLS; what it is asked is kept."""

    old_key_id = "AEMULATORKEY0000000000"
    """An id without a prefix, as keys of before have."""

    def __init__(self, folder):
        self.authority = trustme.CA()
        certificate = self.authority.issue_cert("127.0.0.1")
        files = folder / "chain.pem", folder / "key.pem"
        certificate.private_key_pem.write_to_path(files[1])
        certificate.cert_chain_pems[0].write_to_path(files[0])
        self.trusted = folder / "authority.pem"
        self.authority.cert_pem.write_to_path(self.trusted)
        self.local = LocalAmazonPay()
        self.emulator = self.local.emulator
        self.emulator.keys[self.old_key_id] = merchant_key().public_key()
        self.asked = []
        self._handle, self.emulator.handle = self.emulator.handle, self._keeping
        self.server = self.local.serve(port=0, tls=tuple(map(str, files)))

    def _keeping(self, method, path, headers, body):
        self.asked.append((method, path, headers, body))
        return self._handle(method, path, headers, body)

    @property
    def settings(self):
        """What Amazon's client is made with."""
        return {
            "publicKeyId": DEFAULT_KEY_ID,
            "privateKey": as_pem(merchant_key()),
            "region": "jp",
            "sandbox": True,
            "overrideServiceUrl": self.server.url.removeprefix("https://"),
        }


@pytest.fixture(scope="session")
def amazon(tmp_path_factory):
    """Amazon Pay's emulator behind TLS."""
    found = AmazonOverTls(tmp_path_factory.mktemp("tls"))
    with found.server:
        yield found


@pytest.fixture(scope="session")
def start_amazon_client():
    """Starts Amazon's client, which trusts the authority in `trusted`, if there is one."""

    def start(trusted=""):
        package = "@amazonpay/amazon-pay-api-sdk-nodejs"
        command = with_node(package, "call_amazon_pay.js")
        more = {"NODE_EXTRA_CA_CERTS": str(trusted), "NODE_NO_WARNINGS": "1"}
        return started(command, env={**os.environ, **more})

    return start


@pytest.fixture(scope="session")
def amazon_client(amazon, start_amazon_client):
    """Amazon's own client, which trusts the emulator's certificate."""
    with start_amazon_client(amazon.trusted) as (process, _):
        yield AmazonClient(process, amazon.settings)
