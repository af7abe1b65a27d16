"""Signing a request: RSASSA-PSS over its method, path, headers and the hash of its body.

Amazon Pay, signing requests. The salt comes from the nonce, so the same nonce and time
give the same bytes; `cryptography` takes no salt, so this part is pycryptodome's.
"""

from base64 import b64encode
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs

from kessai.gateway import Request

if TYPE_CHECKING:
    from Crypto.PublicKey.RSA import RsaKey

SALT_BYTES = {"AMZN-PAY-RSASSA-PSS": 20, "AMZN-PAY-RSASSA-PSS-V2": 32}
"""The algorithms by their names, with the length of the salt."""

NEWEST = "AMZN-PAY-RSASSA-PSS-V2"


@attrs.frozen(eq=False)
class Signer:
    """What a request is signed with: a key and its id, an algorithm, a region's name."""

    key: "RsaKey" = attrs.field(repr=False)
    key_id: str = attrs.field(repr=False)
    algorithm: str
    region: str

    def sealed(self, request: Request, at: datetime, nonce: bytes) -> Request:
        """`request` with its date, its host and its signature."""
        parts = urlsplit(request.url)
        headers = {
            **{name.lower(): value for name, value in request.headers},
            "x-amz-pay-date": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "x-amz-pay-host": parts.netloc,
            "x-amz-pay-region": self.region,
        }
        names = ";".join(sorted(headers))
        lines = [f"{name}:{headers[name]}" for name in sorted(headers)]
        digest = sha256(request.body).hexdigest()
        canonical = [request.method, parts.path, "", *lines, "", names, digest]
        hashed = sha256("\n".join(canonical).encode()).hexdigest()
        signature = self.signature(f"{self.algorithm}\n{hashed}".encode(), nonce)
        headers["authorization"] = (
            f"{self.algorithm} PublicKeyId={self.key_id}, SignedHeaders={names},"
            f" Signature={signature}"
        )
        return attrs.evolve(request, headers=tuple(headers.items()))

    def signature(self, text: bytes, nonce: bytes) -> str:
        """The signature of `text` in base64, its salt made of `nonce`."""
        from Crypto.Hash import SHA256
        from Crypto.Signature import pss

        size = SALT_BYTES[self.algorithm]
        salt = sha256(b"kessai amazon_pay salt " + nonce).digest()[:size]
        signer = pss.new(self.key, salt_bytes=size, rand_func=lambda _: salt)
        return b64encode(signer.sign(SHA256.new(text))).decode()
