"""Notifications (結果通知): who signed one, and what it states.

The signature is checked over the raw bytes before one of them is interpreted. A
notification may come twice, late, or before the reply: the engine sorts that
out.
"""

import hmac
import re
from collections import Counter
from collections.abc import Mapping
from typing import Never
from urllib.parse import parse_qsl

import attrs

from kessai.errors import NotificationRefused
from kessai.gateway import Evidence, NotificationPartlyRefused, Outcome, Source
from kessai_adapters.veritrans4g.commands import engine_command
from kessai_adapters.veritrans4g.credentials import Credentials
from kessai_adapters.veritrans4g.replies import may_be_done
from kessai_adapters.veritrans4g.values import (
    is_unreadable_amount,
    read_amount,
    read_code,
    read_compact_time,
    read_identifier,
    read_outcome,
)

BODY_LIMIT = 1024 * 1024
"""The longest notification that is read, in bytes: thousands of items."""

_HEADER = "content-hmac"
_SIGNATURE = re.compile(r"h=HmacSHA256;s=([A-Za-z0-9]{1,64});v=([0-9a-f]{64})")
_COUNT = re.compile(r"[0-9]{1,4}")
_ORDER_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_ORDER_ID_FIELD = re.compile(r"orderId[0-9]{4}")
_COMMAND = re.compile(r"[A-Za-z]{1,40}")


def _refuse(why: str) -> Never:
    message = f"notification refused: {why}"
    raise NotificationRefused(message)


def verify(credentials: Credentials, headers: Mapping[str, str], body: bytes) -> None:
    """Make sure that the gateway signed `body` for this merchant.

    Raises:
        NotificationRefused: it did not, or the body is longer than `BODY_LIMIT`.

    """
    if len(body) > BODY_LIMIT:
        _refuse(f"its body is longer than {BODY_LIMIT} bytes")
    given = [value for name, value in headers.items() if name.lower() == _HEADER]
    if len(given) != 1:
        _refuse("it must carry Content-Hmac exactly once")
    signature = _SIGNATURE.fullmatch(given[0])
    if signature is None:
        _refuse("its Content-Hmac is not h=HmacSHA256;s=<CCID>;v=<64 hex digits>")
    merchant, claimed = signature.groups()
    if not hmac.compare_digest(merchant, credentials.merchant_ccid):
        _refuse("it is signed for another merchant")
    proof = hmac.digest(credentials.signing_key, body, "sha256").hex()
    if not hmac.compare_digest(claimed, proof):
        _refuse("its Content-Hmac does not match its body")


@attrs.frozen
class _Form:
    """The fields of a notification; one that is there twice is refused when read."""

    _fields: Mapping[str, str]
    _repeated: frozenset[str]

    @classmethod
    def parse(cls, body: bytes) -> "_Form":
        pairs = parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace"
        )
        fields = dict(pairs)
        counts = Counter(name for name, _ in pairs) if len(fields) < len(pairs) else {}
        return cls(fields, frozenset(name for name, n in counts.items() if n > 1))

    def find(self, name: str) -> str | None:
        if name in self._repeated:
            _refuse(f"{name} is there more than once")
        value = self._fields.get(name)
        return None if value is None else value.strip()

    def get(self, name: str) -> str:
        value = self.find(name)
        if not value:
            _refuse(f"{name} is missing")
        return value

    def items(self) -> int:
        return sum(1 for name in self._fields if _ORDER_ID_FIELD.fullmatch(name))


def read(body: bytes, *, dummy: bool) -> tuple[Evidence, ...]:
    """What a verified notification states, one piece of evidence an item.

    Success of Authorize in a notification means authorized (O1); "not possible in this
    state" asks for an inquiry, as it does in a reply, and so does an amount of no known
    form. Other fields are ignored. A command that the engine does not know is kept, as
    its lower-case name.

    Raises:
        NotificationRefused: its head is malformed.
        NotificationPartlyRefused: an item is malformed, or of a test where payments are
            live, or the other way round; it holds what the others state.

    """
    form = _Form.parse(body)
    count = form.get("numberOfNotify")
    if not _COUNT.fullmatch(count) or int(count) != form.items():
        # More items than announced would be lost in silence.
        _refuse("numberOfNotify is not the number of its items")
    if int(count) == 0:
        _refuse("it holds no item")
    readable: list[Evidence] = []
    refusals: list[NotificationRefused] = []
    for number in range(int(count)):
        try:
            readable.append(_item(form, f"{number:04}", dummy=dummy))
        except NotificationRefused as refusal:
            refusals.append(refusal)
    if refusals:
        raise NotificationPartlyRefused(
            str(refusals[0]), tuple(readable)
        ) from refusals[0]
    return tuple(readable)


def _item(form: _Form, index: str, *, dummy: bool) -> Evidence:
    transaction = form.get(f"orderId{index}")
    if not _ORDER_ID.fullmatch(transaction):
        _refuse(f"orderId{index} is no transaction id")
    _check_mode(form, index, dummy=dummy)
    command = _command(form, index)
    code = read_code(form.find(f"vResultCode{index}"))
    outcome = read_outcome(form.get(f"mstatus{index}"))
    amount = form.find(f"amount{index}")
    if may_be_done(command, outcome, code) or is_unreadable_amount(amount):
        outcome = Outcome.UNKNOWN
    return Evidence(
        source=Source.NOTIFICATION,
        transaction=transaction,
        command=command,
        outcome=outcome,
        code=code,
        amount=read_amount(amount),
        exchange=read_identifier(form.find(f"centerTransactionId{index}")),
        reported_at=read_compact_time(form.find("pushTime")),
        needs_inquiry=outcome is Outcome.UNKNOWN,
    )


def _check_mode(form: _Form, index: str, *, dummy: bool) -> None:
    mode = form.find(f"dummy{index}")
    if mode is not None and mode != ("1" if dummy else "0"):
        _refuse(
            f"dummy{index} does not state that payments are "
            + ("tests, as they are here" if dummy else "live, as they are here")
        )


def _command(form: _Form, index: str) -> str:
    name = form.get(f"txnType{index}")
    if not _COMMAND.fullmatch(name):
        _refuse(f"txnType{index} is no command's name")
    return engine_command(name) or name.lower()
