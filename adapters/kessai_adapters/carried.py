"""What each command carries to a gateway; what it cannot carry is refused, and not dropped.

The caller meant something by it: a parameter of another gateway's lifecycle, say.
"""

import re
from collections.abc import Mapping

import msgspec

from kessai.errors import InvalidInput
from kessai.gateway import Call

NO_UTF_8 = "a parameter holds half a surrogate pair, which no UTF-8 can hold"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def wrong(call: Call, what: str) -> InvalidInput:
    """The refusal to send `call`; what is no name may be a person's data."""
    command = call.command if _NAME.fullmatch(call.command) else "a call"
    return InvalidInput(f"{command}: {what}")


def check_carried(
    call: Call, carried: Mapping[str, frozenset[str]], gateway: str
) -> None:
    """Refuse a command that `gateway` has not, or a parameter that it does not carry.

    `carried` are the parameters that each command carries, by its name. A command whose
    lifecycle declares others is of another gateway's kind of payment, though none of
    them is given: under its name `gateway` would do something else.

    Raises:
        InvalidInput: it is such; the message names the parameters.

    """
    known = carried.get(call.command)
    if known is None:
        raise wrong(call, f"{gateway} has no such command")
    if foreign := call.parameters.keys() - known:
        names = sorted(name for name in foreign if _NAME.fullmatch(str(name)))
        shown = ", ".join([*names, *(["others"] if len(names) < len(foreign) else [])])
        raise wrong(call, f"cannot carry the parameters: {shown}")
    if of_elsewhere := call.declared - known:
        shown = ", ".join(sorted(of_elsewhere))
        message = f"{gateway} cannot carry what its lifecycle declares for it: {shown}"
        raise wrong(call, message)


def as_json(members: Mapping[str, object]) -> bytes:
    """The body that carries `members`.

    Raises:
        InvalidInput: a text cannot be written in UTF-8.

    """
    try:
        return msgspec.json.encode(members)
    except UnicodeEncodeError:
        pass
    # Outside of `except`: that error holds the whole text, a note to a person.
    raise InvalidInput(NO_UTF_8)
