"""Records of exactly the form in which `append` writes them, read in one go.

This is the short way of `kessai.machine.read_record`, for the kinds of which nearly all
trails are made. What has another form is not wrong for that: it takes the long way.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from kessai.machine import Bounds, Reason, Record

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Number = Annotated[int, msgspec.Meta(gt=-(10**12), lt=10**12)]
"""Within the limit of amounts, and too short to be looked at for a card number."""

OutcomeName = Literal["succeeded", "declined", "pending", "unknown"]

_DATA = len(b'{"data":')
_KIND = b',"kind":"'
_MIDDLE = re.compile(rb',"kind":"([a-z]+)","lifecycle":"((?:[0-9a-f]{64})?)')
_MOST = 1_000
"""So many pairs of kind and lifecycle file are remembered."""


class ObjectForm(
    msgspec.Struct,
    forbid_unknown_fields=True,
    omit_defaults=True,
    gc=False,
):
    """An object without any other members than those declared, in their order."""


class OperationForm(ObjectForm, kw_only=True):
    """See `kessai.machine.Operation`."""

    amount: Number | None = None
    begun_at: Moment
    command: str
    currency: str | None = None
    id: str
    key: str
    parameters: msgspec.Raw
    request: str


class BegunForm(ObjectForm, kw_only=True):
    """See `kessai.machine.Begun`."""

    kind: ClassVar[str] = "begun"

    account: str | None = None
    agreement: str | None = None
    agreement_version: int | None = None
    at: Moment
    opens: tuple[str, ...] = ()
    operation: OperationForm


class EvidenceForm(ObjectForm, kw_only=True):
    """See `kessai.gateway.Evidence`."""

    actor: str = ""
    amount: Number | None = None
    code: str = ""
    command: str | None = None
    exchange: str | None = None
    found: bool = True
    needs_inquiry: bool = False
    never_sent: bool = False
    note: str = ""
    outcome: OutcomeName
    reported_at: Moment | None = None
    source: Literal["reply", "notification", "inquiry", "operator"]
    transaction: str


class ReportedForm(ObjectForm, kw_only=True):
    """See `kessai.machine.Reported`."""

    kind: ClassVar[str] = "reported"

    at: Moment
    evidence: EvidenceForm
    operation: str
    outcome: OutcomeName


class ReasonForm(ObjectForm):
    """See `kessai.machine.Reason`."""

    code: str
    rule: str
    values: dict[str, str | int]


class BoundsForm(ObjectForm):
    """See `kessai.machine.Bounds`."""

    default: int | None
    maximum: int
    minimum: int


class DeniedForm(ObjectForm, kw_only=True):
    """See `kessai.machine.Denied`."""

    kind: ClassVar[str] = "denied"

    amount: int | None = None
    at: Moment
    bounds: BoundsForm | None = None
    command: str
    key: str
    reasons: tuple[ReasonForm, ...] = ()
    request: str


def reasons_of(form: DeniedForm) -> tuple[Reason, ...]:
    """The reasons of a denial."""
    return tuple(Reason(r.code, r.rule, r.values) for r in form.reasons)


def bounds_of(form: DeniedForm) -> Bounds | None:
    """The bounds of a denial."""
    b = form.bounds
    return None if b is None else Bounds(b.minimum, b.maximum, b.default)


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

    def read(
        self, record: Record, previous: str, transaction: bytes
    ) -> tuple[str, EventForm] | None:
        """The event of `record` with its lifecycle's hash, if it comes after `previous`.

        `transaction` is the id as JSON. None if its form is another: then `read_record`
        has the word.
        """
        place = b'","number":%d,"previous":"%b","transaction":%b}' % (
            record.number,
            previous.encode(),
            transaction,
        )
        body, end = record.body, -len(place)
        at = body.rfind(_KIND, 0, end)
        middle = self._known.get(between := body[at:end])
        if middle is None:
            found = _MIDDLE.fullmatch(between)
            decoder = _DECODERS.get(found[1].decode()) if found else None
            if found is None or decoder is None or len(self._known) >= _MOST:
                return None
            middle = self._known[between] = found[2].decode(), decoder.decode
        lifecycle, decode = middle
        try:
            event = decode(body[_DATA:at])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        # Read last wins, written first: a member that stands there twice is found here.
        written = b'{"data":%b%b%b' % (_encode(event), between, place)
        return (lifecycle, event) if written == body else None


def as_json(text: str) -> bytes:
    """`text` as it stands in a canonical record."""
    return _encode(text)
