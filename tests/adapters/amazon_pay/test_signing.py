"""Requests are signed as the official Node SDK signs them; its recorded wire verifies.

The vectors: see data/ORIGIN.md.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from kessai.gateway import Request
from kessai_adapters.amazon_pay.signing import SALT_BYTES, Signer
from kessai_adapters.emulators.amazon_pay import (
    DEFAULT_KEY_ID,
    AmazonRefused,
    as_pem,
    merchant_key,
)
from kessai_adapters.emulators.amazon_pay.signature import canonical_request, verify

DATA = Path(__file__).with_name("data")
WIRE = [
    json.loads(line)
    for line in (DATA / "amazon_pay_node_sdk_2.3.4_wire.jsonl").read_text().splitlines()
]
AT = datetime(2026, 11, 29, 21, 18, 23, tzinfo=UTC)
OLD_KEY_ID = "AFVX7ULWSGBZ5535PCUQOY7B"


def keys():
    key = load_pem_public_key((DATA / "amz.pub").read_bytes())
    return {OLD_KEY_ID: key, f"SANDBOX-{OLD_KEY_ID}": key}


def key_id(headers):
    return headers["authorization"].partition("PublicKeyId=")[2].partition(",")[0]


@pytest.mark.parametrize("sent", WIRE, ids=lambda sent: sent["m"] + sent["p"])
def test_the_recorded_wire_of_the_official_sdk_verifies(sent):
    headers = dict(sent["h"])
    verify(keys(), sent["m"], sent["p"], headers, sent["b"].encode())


@pytest.mark.parametrize("sent", WIRE[:3], ids=lambda sent: sent["m"] + sent["p"])
def test_a_recorded_request_that_was_changed_does_not(sent):
    headers = dict(sent["h"])
    changed = {
        "body": (sent["p"], headers, sent["b"] + " "),
        "path": (sent["p"] + "/", headers, sent["b"]),
        "date": (sent["p"], {**headers, "x-amz-pay-date": "now"}, sent["b"]),
    }
    for path, given, body in changed.values():
        with pytest.raises(AmazonRefused, match="signature"):
            verify(keys(), sent["m"], path, given, body.encode())


def test_the_canonical_request_is_that_of_the_sdk():
    from hashlib import sha256

    sent = WIRE[0]
    names = dict(sent["h"])["authorization"].partition("SignedHeaders=")[2]
    text = canonical_request(
        sent["m"],
        sent["p"],
        dict(sent["h"]),
        names.partition(",")[0],
        sent["b"].encode(),
    )
    assert sha256(text.encode()).hexdigest() == (
        "5cf57018ef3096fc1a10b62c51325054c069e29caed021ed1a53bfaf237ef22a"
    )


def signer(algorithm):
    from Crypto.PublicKey import RSA

    key = RSA.import_key(as_pem(merchant_key()))
    return Signer(key, DEFAULT_KEY_ID, algorithm, "jp")


@pytest.mark.parametrize("algorithm", SALT_BYTES)
def test_what_the_adapter_signs_verifies_with_either_algorithm(algorithm):
    request = Request(
        method="POST",
        url="https://pay-api.amazon.jp/v2/charges",
        headers=(("accept", "application/json"), ("X-Amz-Pay-Idempotency-Key", "k")),
        body=b'{"captureNow": false}',
    )
    sealed = signer(algorithm).sealed(request, AT, bytes(16))
    headers = dict(sealed.headers)
    assert headers["x-amz-pay-date"] == "2026-11-29T21:18:23Z"
    assert headers["x-amz-pay-host"] == "pay-api.amazon.jp"
    public = {DEFAULT_KEY_ID: merchant_key().public_key()}
    verify(public, "POST", "/v2/charges", headers, request.body)
    other = next(name for name in SALT_BYTES if name != algorithm)
    headers["authorization"] = headers["authorization"].replace(algorithm, other, 1)
    with pytest.raises(AmazonRefused):
        verify(public, "POST", "/v2/charges", headers, request.body)


def test_the_same_nonce_gives_the_same_signature_and_another_one_another():
    made = [
        signer("AMZN-PAY-RSASSA-PSS-V2").signature(b"x", n) for n in (b"1", b"1", b"2")
    ]
    assert made[0] == made[1] != made[2]
