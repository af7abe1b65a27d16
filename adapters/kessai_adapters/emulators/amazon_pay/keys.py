"""Made-up keys and certificates, new in every process: they open nothing else."""

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

DEFAULT_KEY_ID = "SANDBOX-EMULATORKEY0000000000"
"""The id of the merchant's public key, where nothing else is said."""

_BITS = 2048


def _new_key() -> "RSAPrivateKey":
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=_BITS)


@cache
def merchant_key() -> "RSAPrivateKey":
    """Return the merchant's key of this process."""
    return _new_key()


def as_pem(key: "RSAPrivateKey") -> str:
    """Return a private key as the text that a merchant keeps."""
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@attrs.frozen
class SigningCertificate:
    """What notifications are signed with, and the certificate that shows it."""

    key: "RSAPrivateKey" = attrs.field(repr=False)
    pem: bytes = attrs.field(repr=False)


@cache
def signing_certificate() -> SigningCertificate:
    """Return the notification service's certificate of this process: by nobody but itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    key = _new_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.emulator.example")])
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin.replace(year=2120))
        .sign(key, SHA256())
    )
    return SigningCertificate(key, certificate.public_bytes(Encoding.PEM))
