"""Personal texts in recorded events, and what is left of a record once they are forgotten.

Personal may be what a person wrote: the texts among a command's parameters (a note, an
address of the shop), an operator's note and their name. A record is bound to its hash, so
without its texts nobody can make that hash from it again. Its hash stays all the same, as
the next event is bound to it, and as seals may be. What is left of the record is bound
anew: the event `Forgotten` has its SHA-256. So a record is whole if it has its own hash,
or if it was declared as forgotten and has the declared one.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from kessai.machine.record import canonical

FORGOTTEN = "[forgotten]"
"""What stands in the place of a text that was forgotten."""

FORGETTING = b'},"kind":"forgotten","lifecycle":"'
"""What stands in the record of a forgetting, as `DENIAL` in that of a denial."""


class Remainder(NamedTuple):
    """What is left of a record without its texts: its bytes, and which texts they were."""

    body: bytes
    fields: tuple[str, ...]

    @property
    def digest(self) -> str:
        """The SHA-256 (hex) by which it is declared."""
        return hashlib.sha256(self.body).hexdigest()


def without_texts(body: bytes) -> Remainder:
    """The record `body` without the personal texts that it has; the same if it has none."""
    record = msgspec.json.decode(body)
    fields: list[str] = []
    for part, name in _texts(record["data"]):
        if part[name] != FORGOTTEN:
            part[name] = FORGOTTEN
            fields.append(name)
    return Remainder(canonical(record) if fields else body, tuple(fields))


def is_forgotten(body: bytes) -> bool:
    """Whether the record has had texts, and has none any more."""
    found = [part[name] for part, name in _texts(msgspec.json.decode(body)["data"])]
    return bool(found) and set(found) == {FORGOTTEN}


def declared(bodies: Iterable[bytes]) -> Mapping[int, str]:
    """The numbers of the events that are declared as forgotten, and what they must hash to.

    `bodies` are the records of a trail. Whether a declaration holds itself is seen where
    it is read: it comes after what it declares.
    """
    found: dict[int, str] = {}
    for body in [body for body in bodies if FORGETTING in body]:  # hardly ever one
        found |= _declarations(body)
    return found


def _declarations(body: bytes) -> Mapping[int, str]:
    try:
        return _decode(body).data.events
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}  # found where it is read


def _texts(data: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Where personal texts stand in the data of an event."""
    operation, evidence = data.get("operation"), data.get("evidence")
    if isinstance(operation, dict):
        parameters = operation["parameters"]
        for name, value in parameters.items():
            if isinstance(value, str) and value:
                yield parameters, name
    if isinstance(evidence, dict):
        for name in ("actor", "note"):
            if evidence.get(name):
                yield evidence, name


class _Declaring(msgspec.Struct):
    events: dict[int, str]


class _DeclaringBody(msgspec.Struct):
    data: _Declaring


_decode = msgspec.json.Decoder(_DeclaringBody).decode
