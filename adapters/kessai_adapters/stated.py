"""What a reply states: the members of its JSON, and the evidence that they are.

Every reader is total: what cannot be trusted is empty, never an error and never a guess.
"""

import json
from collections.abc import Mapping
from typing import Any, cast

from kessai.gateway import INQUIRY, Call, Evidence, Outcome, Source

Members = Mapping[str, Any]


def members_of(body: bytes) -> Members:
    """The members of a JSON object; none if it is no such thing, or says one twice."""
    try:
        stated = json.loads(body, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return {}
    return cast("Members", stated) if isinstance(stated, dict) else {}


def _once(pairs: list[tuple[str, Any]]) -> Members:
    if len(dict(pairs)) < len(pairs):
        # Two readers may take different ones of two `status`: then neither is evidence.
        message = "a member is there twice"
        raise ValueError(message)
    return dict(pairs)


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
