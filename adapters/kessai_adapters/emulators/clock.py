"""The time, where no test says what it is."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the time, aware and in UTC."""
    return datetime.now(UTC)  # noqa: TID251 (the default of a shell's argument)
