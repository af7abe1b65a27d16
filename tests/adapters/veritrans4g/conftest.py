"""The recorded exchanges, each under the name of its story, and who they were made for."""

import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from kessai.gateway import INQUIRY, Call, Evidence, Reply
from kessai_adapters import veritrans4g
from kessai_adapters.veritrans4g import Credentials, VeriTrans4G

RECORDED = Path(veritrans4g.__file__).parent / "recorded"
CCID = "A100000000000000000000cc"
SECRET = "4f3c2b1a" * 8
NOTIFICATION_URL = "https://shop.example/push"


@attrs.frozen
class Recorded:
    """One HTTP message: its first line, its headers, its body."""

    start: str
    headers: dict[str, str]
    body: bytes

    @property
    def url(self) -> str:
        return self.start.split(" ")[1]

    @property
    def reply(self) -> Reply:
        status = int(self.start.split(" ")[1])
        return Reply(status=status, headers=tuple(self.headers.items()), body=self.body)


def read_recorded(name: str) -> Recorded:
    head, _, body = (RECORDED / f"{name}.http").read_bytes().partition(b"\n\n")
    start, *headers = head.decode("ascii").split("\n")
    return Recorded(start, dict(line.split(": ", 1) for line in headers), body)


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], Recorded]:
    return read_recorded


@pytest.fixture(scope="session")
def secret() -> str:
    return SECRET


@pytest.fixture(scope="session")
def credentials() -> Credentials:
    return Credentials(CCID, SECRET)


@pytest.fixture(scope="session")
def adapter(credentials: Credentials) -> VeriTrans4G:
    return VeriTrans4G(credentials, dummy=True, notification_url=NOTIFICATION_URL)


@pytest.fixture(scope="session")
def live(credentials: Credentials) -> VeriTrans4G:
    return VeriTrans4G(credentials, notification_url=NOTIFICATION_URL)


@pytest.fixture(scope="session")
def evidence_of(adapter: VeriTrans4G) -> Callable[..., Evidence]:
    """The evidence of a recorded reply, by default to a capture of order-1001."""

    def evidence(
        story: str, command: str = "capture", transaction: str = "order-1001"
    ) -> Evidence:
        call = Call(command=command, transaction=transaction, lifecycle="one_time")
        return adapter.evidence(call, read_recorded(f"{story}.reply").reply)

    return evidence


@pytest.fixture(scope="session")
def inquired(evidence_of: Callable[..., Evidence]) -> Callable[[str], Evidence]:
    return lambda story: evidence_of(story, command=INQUIRY)


@pytest.fixture(scope="session")
def signed() -> Callable[[bytes], dict[str, str]]:
    """The headers under which the gateway would send a body."""

    def headers(body: bytes) -> dict[str, str]:
        proof = hmac.new(bytes.fromhex(SECRET), body, hashlib.sha256).hexdigest()
        return {"Content-Hmac": f"h=HmacSHA256;s={CCID};v={proof}"}

    return headers
