"""Seals and keys as the command line takes them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from kessai.audit.sealing import PublicKey, Seal, read_public_key, read_seal
from kessai.errors import InvalidInput

F = TypeVar("F", bound=Callable[..., Any])


def public_key_option(function: F) -> F:
    """`--public-key FILE|HEX`: the key that must have signed the seals."""
    return click.option(
        "--public-key",
        "public_key",
        envvar="KESSAI_SEAL_PUBLIC_KEY",
        metavar="FILE|HEX",
        help="The key that the seals were signed with: 64 hexadecimal digits, or a file.",
    )(function)


def read_seals(
    paths: Sequence[Path], public_key: str | None, own: PublicKey | None = None
) -> list[Seal]:
    """The seals in `paths`, by the key that was given, or else by one's own.

    Raises:
        InvalidInput: there is no key, or a file is no seal of it.
        TrailBroken: a seal was changed.
        AdapterMissing: the extra `seal` is not installed.

    """
    if not paths:
        return []
    if public_key is None and own is None:
        message = (
            "--public-key: a seal proves nothing without the key it was signed with;"
            " `kessai audit seal --new-key` printed it"
        )
        raise InvalidInput(message)
    key = own if public_key is None else read_public_key(public_key)
    return [read_seal(path, key) for path in paths if key is not None]
