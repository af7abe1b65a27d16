"""Records of exactly the form in which `append` writes them, read in one go.

This is the short way of `kessai.machine.read_record`, for the kinds of which nearly all
trails are made. What has another form is not wrong for that: it takes the long way.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Number = Annotated[int, msgspec.Meta(gt=-(10**12), lt=10**12)]
"""Within the limit of amounts, and too short to be looked at for a card number."""

OutcomeName = Literal["succeeded", "declined", "pending", "unknown"]

_START = b'{"data":'
_KIND = b',"kind":"'
_MIDDLE = re.compile(rb',"kind":"([a-z]+)","lifecycle":"((?:[0-9a-f]{64})?)')
_MOST = 1_000
"""So many pairs of kind and lifecycle file are remembered."""


class ObjectForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """An object without any other members than those declared."""


class OperationForm(ObjectForm):
    """See `kessai.machine.Operation`."""

    id: str
    command: str
    key: str
    request: str
    parameters: msgspec.Raw
    begun_at: Moment
    amount: Number | None = None
    currency: str | None = None


class BegunForm(ObjectForm):
    """See `kessai.machine.Begun`."""

    kind: ClassVar[str] = "begun"

    at: Moment
    operation: OperationForm
    agreement: str | None = None
    opens: tuple[str, ...] = ()
    agreement_version: int | None = None
    account: str | None = None


class EvidenceForm(ObjectForm):
    """See `kessai.gateway.Evidence`."""

    source: Literal["reply", "notification", "inquiry", "operator"]
    transaction: str
    outcome: OutcomeName
    command: str | None = None
    code: str = ""
    amount: Number | None = None
    exchange: str | None = None
    reported_at: Moment | None = None
    found: bool = True
    needs_inquiry: bool = False
    never_sent: bool = False
    actor: str = ""
    note: str = ""


class ReportedForm(ObjectForm):
    """See `kessai.machine.Reported`."""

    kind: ClassVar[str] = "reported"

    at: Moment
    operation: str
    outcome: OutcomeName
    evidence: EvidenceForm


class ReasonForm(ObjectForm):
    """See `kessai.machine.Reason`."""

    code: str
    rule: str
    values: dict[str, str | int] = {}


class DeniedForm(ObjectForm):
    """See `kessai.machine.Denied`."""

    kind: ClassVar[str] = "denied"

    at: Moment
    command: str
    key: str
    request: str
    reasons: tuple[ReasonForm, ...] = ()
    amount: int | None = None


EventForm = BegunForm | ReportedForm | DeniedForm

_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    form.kind: msgspec.json.Decoder(form)
    for form in (BegunForm, ReportedForm, DeniedForm)
}
_encode = msgspec.json.Encoder().encode


class Reader:
    """Reads the events of trails that have the canonical form."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[str, Callable[[bytes], EventForm]]] = {}

    def read(self, body: bytes, place: bytes) -> tuple[str, EventForm] | None:
        """The event in `body` with its lifecycle's hash, if it ends in `place`.

        That is the end that its place demands. None if its form is another: then
        `read_record` has the word.
        """
        at = body.rfind(_KIND, 0, -len(place))
        if at < 0 or not body.endswith(place) or not body.startswith(_START):
            return None
        middle = self._known.get(between := body[at : -len(place)])
        if middle is None:
            found = _MIDDLE.fullmatch(between)
            decoder = _DECODERS.get(found[1].decode()) if found else None
            if found is None or decoder is None or len(self._known) >= _MOST:
                return None
            middle = self._known[between] = found[2].decode(), decoder.decode
        lifecycle, decode = middle
        try:
            return lifecycle, decode(body[len(_START) : at])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None


def place(number: int, previous: bytes, transaction: bytes) -> bytes:
    """How a record ends at its place; `transaction` is the id as JSON."""
    return b'","number":%d,"previous":"%b","transaction":%b}' % (
        number,
        previous,
        transaction,
    )


def as_json(text: str) -> bytes:
    """`text` as it stands in a canonical record."""
    return _encode(text)
