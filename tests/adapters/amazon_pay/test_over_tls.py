"""The way over real TLS: a server with a certificate, and kessai's own transport."""

import ssl

import pytest
import trustme

from kessai import Command, Engine, MemoryStore, Status
from kessai.transport.http import HttpTransport
from kessai_adapters.amazon_pay import AmazonPay
from kessai_adapters.amazon_pay.local import LocalAmazonPay


@pytest.fixture
def tls(tmp_path):
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    files = tmp_path / "chain.pem", tmp_path / "key.pem"
    certificate.private_key_pem.write_to_path(files[1])
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(files[0], append=True)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return tuple(map(str, files)), context


def test_a_payment_goes_over_tls_with_the_settings_of_the_environment(tls):
    files, context = tls
    local = LocalAmazonPay()
    with local.serve(port=0, tls=files) as server:
        adapter = AmazonPay.from_environment(local.environment(server.url))
        with Engine(
            adapters=[adapter],
            store=MemoryStore(),
            transport=HttpTransport(tls=context),
        ) as engine:
            asked = Command(
                "authorize",
                "o-1",
                key="k-1",
                lifecycle="amazon_pay",
                amount=1200,
                currency="JPY",
            )
            page = engine.execute(asked).disclosed["page"]
            assert page.startswith(f"{server.url}/checkout/")
            session = local.emulator.consumer.approve("o-1")
            brought = {"amazonCheckoutSessionId": session}
            assert engine.resume("o-1", brought).status is Status.SUCCEEDED
            for each in local.emulator.take_notifications():
                engine.receive_notification(each.headers, each.body)
