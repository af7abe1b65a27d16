"""Time zones and moments as the command line takes them."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, tzinfo

import click

from kessai.cli.terminal.options import F
from kessai.errors import InvalidInput
from kessai.zones import Period, named_zone


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
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
        zone = moment.tzinfo or zone
        if zone is not None:
            return _in_utc(moment.replace(tzinfo=zone), text, option)
    right = "a day such as 2026-01-31 nor a moment such as 2026-01-31T09:00:00"
    message = f"{option} {text!r}: neither {right}"
    if zone is None:
        message = (
            f"{option} {text!r}: not a moment with a time zone, such as"
            " 2026-01-31T09:00:00Z"
        )
    raise InvalidInput(message)


def _in_utc(moment: datetime, text: str, option: str) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        message = (
            f"{option} {text!r}: in {moment.tzinfo} it is too early or too late; the"
            " years 1 to 9999, in UTC, are right"
        )
        raise InvalidInput(message) from None


def zone_option(meaning: str) -> Callable[[F], F]:
    """`--timezone ZONE`; `meaning` says of what."""
    return click.option(
        "--timezone",
        "zone_name",
        default="UTC",
        show_default=True,
        metavar="ZONE",
        help=f"The zone in which {meaning}: Asia/Tokyo, +09:00.",
    )


_PERIOD = (
    click.option(
        "--since",
        metavar="TIME",
        help="From then on: a day such as 2026-01-01, or a moment.",
    ),
    click.option(
        "--until",
        metavar="TIME",
        help="Before then: --since 2026-01-01 --until 2026-02-01 is all of January.",
    ),
    zone_option("days begin and times are written"),
)


def period_options(function: F) -> F:
    """`--since TIME --until TIME --timezone ZONE`, for `period_of`."""
    for option in reversed(_PERIOD):
        function = option(function)
    return function


def period_of(since: str | None, until: str | None, zone_name: str) -> Period:
    """What the options of `period_options` say.

    Raises:
        InvalidInput: one is no such thing, or nothing lies between.

    """
    zone = zone_of(zone_name)
    period = Period(
        zone,
        None if since is None else moment_of(since, zone, "--since"),
        None if until is None else moment_of(until, zone, "--until"),
    )
    if period.since and period.until and period.since >= period.until:
        message = f"--until {until}: not after --since {since}, so nothing lies between"
        raise InvalidInput(message)
    return period
