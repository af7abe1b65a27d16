"""The recorded answers, compared with the outcomes in the trails, byte by byte.

An answer is given again whenever its key comes again: an edited one misleads the order
system, and where one was deleted the same key has a second effect.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from secrets import token_bytes
from typing import Any

import msgspec

from kessai.audit.verification.canonical import (
    BegunForm,
    BoundsForm,
    DeniedForm,
    EventForm,
    EvidenceForm,
    ObjectForm,
    OperationForm,
    ReasonForm,
    ReportedForm,
)
from kessai.audit.verification.replay import ReplayBroken
from kessai.flow import Recorded
from kessai.gateway import Evidence, Outcome
from kessai.machine import Begun, Denied, Event, Operation, Record, Reported
from kessai.machine.record import canonical
from kessai.stores import Answered

CONFLICT = "key_conflict"

_BEGUN = (BegunForm, Begun)
_REPORTED = (ReportedForm, Reported)
_DENIED = (DeniedForm, Denied)
_ENDS = (Outcome.SUCCEEDED, Outcome.DECLINED)


def check_answers(
    transaction: str,
    events: Sequence[Event | EventForm],
    answers: Sequence[Answered],
) -> None:
    """Make sure that `answers` are those that `events` gave, and no others.

    Raises:
        Broken: one is missing, or is another.

    """
    due = _due(transaction, events)
    if len(due) == len(answers) and all(due.get(a.key) == a for a in answers):
        return
    given = {answered.key: answered for answered in answers}
    for number, key in _opened(events):
        if key not in given:
            raise ReplayBroken(number, "answer_missing", key)
        if given[key] != due[key]:
            raise ReplayBroken(number, "answer_differs", key)
    raise ReplayBroken(
        None, "answer_differs", next((key for key in given if key not in due), "")
    )


class AnswerSums:
    """The answers of a trail that is too long to keep them, against those that are due.

    Both come in an order of their own, so sums of their hashes are compared. The key of
    the hashes is drawn for each reading: nobody can look for other answers with the same
    sum beforehand.
    """

    def __init__(self, transaction: str) -> None:
        self._transaction = transaction
        self._key = token_bytes(32)
        self._due = 0
        self._open: dict[str, tuple[Begun | BegunForm, Reported | ReportedForm | None]]
        self._open = {}

    def take(self, events: Iterable[Event | EventForm]) -> None:
        """Add what follows from the next events of the trail."""
        for event in events:
            if isinstance(event, _BEGUN):
                self._open[event.operation.id] = event, None
            elif isinstance(event, _REPORTED) and event.operation in self._open:
                self._open[event.operation] = self._open[event.operation][0], event
                if event.outcome in _ENDS:
                    self._add(*self._open.pop(event.operation))
            elif isinstance(event, _DENIED) and not _is_conflict(event):
                self._due += self._hash(_denied(self._transaction, event))

    def match(self, answers: Iterable[Answered]) -> bool:
        """Whether `answers` are those that all events of the trail gave."""
        while self._open:
            self._add(*self._open.popitem()[1])
        return self._due == sum(map(self._hash, answers))

    def _add(
        self, begun: Begun | BegunForm, last: Reported | ReportedForm | None
    ) -> None:
        self._due += self._hash(_begun(self._transaction, begun.operation, last))

    def _hash(self, answer: Answered) -> int:
        text = b"%b\0%b\0%b" % (
            answer.key.encode(),
            answer.outcome.encode(),
            answer.recorded,
        )
        return int.from_bytes(hashlib.blake2b(text, key=self._key).digest())


class _AnswerForm(ObjectForm, kw_only=True):
    """What `kessai.stores.encoding.encode_recorded` writes, without an object of it."""

    bounds: BoundsForm | None = None
    command: str
    evidence: EvidenceForm | None = None
    key: str
    operation: str | None = None
    outcome: str
    reasons: tuple[ReasonForm, ...] = ()
    request: str
    transaction: str


def _due(transaction: str, events: Sequence[Event | EventForm]) -> dict[str, Answered]:
    """What must stand under each key, to the last byte."""
    due: dict[str, Answered] = {}
    ended = {e.operation: e for e in events if isinstance(e, _REPORTED)}
    for event in events:
        if isinstance(event, _BEGUN):
            operation = event.operation
            due[operation.key] = _begun(transaction, operation, ended.get(operation.id))
        elif isinstance(event, _DENIED) and not _is_conflict(event):
            due[event.key] = _denied(transaction, event)
    return due


def _begun(
    transaction: str,
    operation: Operation | OperationForm,
    last: Reported | ReportedForm | None,
) -> Answered:
    outcome = str(last.outcome) if last else "begun"
    evidence = last.evidence if last else None
    answer: dict[str, Any] = {
        "key": operation.key,
        "request": operation.request,
        "command": operation.command,
        "transaction": transaction,
        "outcome": outcome,
        "operation": operation.id,
    }
    if isinstance(evidence, Evidence):
        return Answered.of(Recorded(**answer, evidence=evidence))
    if evidence is not None and evidence.command is None:
        members = {"command": None, **msgspec.to_builtins(evidence)}
        recorded = canonical({**answer, "evidence": members})
    else:
        recorded = _encode(_AnswerForm(**answer, evidence=evidence))
    return Answered(transaction, operation.key, outcome, recorded)


def _denied(transaction: str, event: Denied | DeniedForm) -> Answered:
    answer: dict[str, Any] = {
        "key": event.key,
        "request": event.request,
        "command": event.command,
        "transaction": transaction,
        "outcome": "denied",
        "reasons": event.reasons,
        "bounds": event.bounds,
    }
    if isinstance(event, Denied):
        return Answered.of(Recorded(**answer))
    return Answered(transaction, event.key, "denied", _encode(_AnswerForm(**answer)))


def _opened(events: Sequence[Event | EventForm]) -> Iterator[tuple[int, str]]:
    """The keys under which events left an answer, with their numbers."""
    for number, event in enumerate(events, 1):
        yield from ((number, key) for key in _due("", [event]))


def keys_in(records: Iterable[Record]) -> Iterator[str]:
    """The keys in `records`, as far as they can be read."""
    for record in records:
        try:
            data = _decode(record.body).data
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
        begun = data.operation
        if key := begun.key if isinstance(begun, _Keyed) else data.key:
            yield key


class _Keyed(msgspec.Struct):
    key: str = ""


class _Data(_Keyed):
    operation: _Keyed | str | None = None


class _AnswerBody(msgspec.Struct):
    data: _Data


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_AnswerBody).decode


def _is_conflict(event: Denied | DeniedForm) -> bool:
    """Whether the key was another request's, and its answer with it."""
    return any(reason.code == CONFLICT for reason in event.reasons)
