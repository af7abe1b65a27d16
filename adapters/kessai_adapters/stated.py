"""What a reply states: the members of its JSON, and the evidence that they are.

Every reader is total: what cannot be trusted is empty, never an error and never a guess.
"""

import json
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from kessai.gateway import INQUIRY, Call, Evidence, Outcome, Source

Members = Mapping[str, Any]


def members_of(body: bytes) -> Members:
    """The members of a JSON object; none if it is no such thing, or says one twice."""
    try:
        stated = _read(body)
    except (ValueError, RecursionError):
        return {}
    return cast("Members", stated) if isinstance(stated, dict) else {}


def _read(body: bytes) -> object:
    """What JSON states, read by the quick reader where that proves what it read.

    It keeps the last of two members of one name. Then what it read is not what is written;
    nor is it for a needless escape, say: such a body is read by the slower one.
    """
    try:
        stated: object = msgspec.json.decode(body)
        if msgspec.json.encode(stated) == msgspec.json.format(body, indent=-1):
            return stated
    except msgspec.DecodeError:
        pass
    return _CAREFUL(body.decode(json.detect_encoding(body)))


def _once(pairs: list[tuple[str, Any]]) -> Members:
    members = dict(pairs)
    if len(members) < len(pairs):
        # Two readers may take different ones of two `status`: then neither is evidence.
        message = "a member is there twice"
        raise ValueError(message)
    return members


_CAREFUL = json.JSONDecoder(object_pairs_hook=_once).decode


def inner(stated: Members, name: str) -> Members:
    """The object called `name` in `stated`; an empty one if there is none."""
    found = stated.get(name)
    return cast("Members", found) if isinstance(found, dict) else {}


def says(call: Call, outcome: Outcome, **more: Any) -> Evidence:
    """The evidence about `call`: of an inquiry, or of a command."""
    inquires = call.command == INQUIRY
    return Evidence(
        source=Source.INQUIRY if inquires else Source.REPLY,
        transaction=call.transaction,
        command=None if inquires else call.command,
        outcome=outcome,
        **more,
    )
