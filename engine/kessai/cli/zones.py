"""Time zones and moments as the command line takes them."""

from contextlib import suppress
from datetime import UTC, datetime, tzinfo

from kessai.errors import InvalidInput
from kessai.zones import named_zone


def zone_of(text: str) -> tzinfo:
    """The zone named `text`: `Asia/Tokyo`, `+09:00`, `UTC`.

    Raises:
        InvalidInput: no such zone is known here.

    """
    zone = named_zone(text)
    if zone is None:
        message = (
            f"--timezone {text!r}: not known here; a name such as Asia/Tokyo is right,"
            " or an offset such as +09:00"
        )
        raise InvalidInput(message)
    return zone


def moment_of(text: str, zone: tzinfo | None, option: str) -> datetime:
    """A day (its beginning) or a moment, in `zone` where it names none; in UTC.

    Raises:
        InvalidInput: it is neither, or no zone is known; the message names `option`.

    """
    with suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(text)
        zone = moment.tzinfo or zone
        if zone is not None:
            return moment.replace(tzinfo=zone).astimezone(UTC)
    right = "a day such as 2026-01-31 nor a moment such as 2026-01-31T09:00:00"
    message = f"{option} {text!r}: neither {right}"
    if zone is None:
        message = (
            f"{option} {text!r}: not a moment with a time zone, such as"
            " 2026-01-31T09:00:00Z"
        )
    raise InvalidInput(message)
