"""What adapters' settings have in common: their forms, a host, environment variables.

No message shows a value: it may be a key that stands in the wrong place.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Never, TypeVar

from kessai.errors import InvalidInput

_HOST = re.compile(
    r"(https?)://(?:\[([0-9A-Fa-f:]{2,45})\]|([A-Za-z0-9.-]{1,253}))(?::([0-9]{1,5}))?/?"
)
_HIGHEST_PORT = 65535

_T = TypeVar("_T")


class Unpicklable:
    """Credentials: a task queue or a cache that pickled them would write them to disk."""

    __slots__ = ()

    # `typing.override` comes with Python 3.12.
    def __reduce_ex__(self, _protocol: object) -> Never:
        message = "credentials are never pickled or copied"
        raise TypeError(message)


def matching(value: object, form: re.Pattern[str], message: str) -> str:
    """Return `value` if it is a text of that form.

    Raises:
        InvalidInput: it is not; the message is the one given.

    """
    if isinstance(value, str) and form.fullmatch(value):
        return value
    raise InvalidInput(message)


def checked_host(value: object) -> str:
    """Return a gateway's host: https, or http on loopback for its stand-in.

    Raises:
        InvalidInput: it is none; what would pass on plain http shows who a consumer is.

    """
    message = "the host must be https://<name>[:port]; http only on loopback"
    found = _HOST.fullmatch(value) if isinstance(value, str) else None
    if found is None or int(found[4] or 0) > _HIGHEST_PORT:
        raise InvalidInput(message)
    if found[1] != "https" and not is_stand_in(found[0]):
        raise InvalidInput(message)
    return found[0].removesuffix("/")


def is_stand_in(host: str) -> bool:
    """Whether a host is on loopback: it knows nothing of what the gateway holds."""
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name = found[2] or found[3]
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.lower() == "localhost"


def environment_of(host: str, *, live: bool) -> str:
    """The last part of an account's name: `emulator`, `live` or `test`.

    What is on loopback is a stand-in, which knows nothing of what the gateway holds.
    """
    if is_stand_in(host):
        return "emulator"
    return "live" if live else "test"


def setting(
    environ: Mapping[str, str], variable: str, read: Callable[[str], _T]
) -> _T | None:
    """What a variable holds; None if it is unset, or empty.

    Raises:
        InvalidInput: it is not well-formed; the message names the variable.

    """
    value = environ.get(variable)
    if not value:
        return None
    try:
        return read(value)
    except InvalidInput as mistake:
        message = f"{variable}: {mistake}"
        raise InvalidInput(message) from None


def required(
    environ: Mapping[str, str], variables: Mapping[str, Callable[[str], object]]
) -> list[object]:
    """What variables hold that must all be set.

    Raises:
        InvalidInput: one is missing or not well-formed.

    """
    if missing := [name for name in variables if not environ.get(name)]:
        are = "is" if len(missing) == 1 else "are"
        message = f"{' and '.join(missing)} {are} not set"
        raise InvalidInput(message)
    return [setting(environ, name, read) for name, read in variables.items()]
