"""The recorded answers, compared with the outcomes in the trails.

An answer is given again whenever its key comes again: an edited one misleads the order
system, and where one was deleted the same key has a second effect.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from kessai.audit.verification.canonical import (
    BegunForm,
    DeniedForm,
    EventForm,
    ReportedForm,
)
from kessai.audit.verification.replay import ReplayBroken
from kessai.machine import Begun, Denied, Event, Reason, Record, Reported
from kessai.stores import Answered
from kessai.stores.encoding import answered_by

CONFLICT = "key_conflict"

_BEGUN = (BegunForm, Begun)
_REPORTED = (ReportedForm, Reported)
_DENIED = (DeniedForm, Denied)


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


def _due(transaction: str, events: Sequence[Event | EventForm]) -> dict[str, Answered]:
    """What must stand under each key."""
    due: dict[str, Answered] = {}
    ended: dict[str, Reported | ReportedForm] = {}
    for event in events:
        if isinstance(event, _REPORTED):
            ended[event.operation] = event
    for event in events:
        if isinstance(event, _BEGUN):
            o = event.operation
            last = ended.get(o.id)
            due[o.key] = Answered(
                transaction,
                o.key,
                o.request,
                o.command,
                str(last.outcome) if last else "begun",
                o.id,
                evidence=answered_by(last.evidence) if last else None,
            )
        elif isinstance(event, _DENIED) and not _is_conflict(event):
            due[event.key] = Answered(
                transaction,
                event.key,
                event.request,
                event.command,
                "denied",
                reasons=tuple(Reason(r.code, r.rule, r.values) for r in event.reasons),
            )
    return due


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


_decode = msgspec.json.Decoder(_AnswerBody).decode


def _is_conflict(event: Denied | DeniedForm) -> bool:
    """Whether the key was another request's, and its answer with it."""
    return any(reason.code == CONFLICT for reason in event.reasons)
