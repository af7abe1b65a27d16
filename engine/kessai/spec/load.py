"""Lifecycle files from disk, package data or storage, checked whole."""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path as File
from typing import Any, NoReturn

import attrs
import msgspec

from kessai.errors import InvalidInput, InvalidLifecycle, UnknownLifecycle
from kessai.spec.checks import check
from kessai.spec.currencies import with_digits
from kessai.spec.merge import Merge, Open
from kessai.spec.model import Lifecycle
from kessai.spec.places import Mistake, Place
from kessai.spec.read import read_lifecycle
from kessai.spec.table import Notebook, Table

SHIPPED = "kessai_specs"
"""The package whose data are the shipped lifecycle files."""

STORED = "stored declaration"
"""The file's name in the mistakes of a stored declaration."""

_canonical = msgspec.json.Encoder(order="sorted").encode


def shipped_names() -> tuple[str, ...]:
    """Return the names of the shipped lifecycles, sorted."""
    files = resources.files(SHIPPED).iterdir()
    return tuple(
        sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml"))
    )


@cache
def load_shipped(name: str) -> Lifecycle:
    """Return the shipped lifecycle called `name`.

    Raises:
        UnknownLifecycle: there is none of that name.
        InvalidLifecycle: its file has mistakes.

    """
    if name not in shipped_names():
        message = f"lifecycle {name!r}: shipped are {', '.join(shipped_names())}"
        raise UnknownLifecycle(message)
    # They state the digits of their currencies, so that nobody waits for ISO 4217's table.
    return _build(*_merged(f"{name}.toml", _open_shipped))


def load_file(path: File | str) -> Lifecycle:
    """Return the lifecycle in the file `path`.

    It may include files beside or below it, and those of the shipped ones under the
    same relative names (`shared/payment.toml`), its own first.

    Raises:
        InvalidLifecycle: the file, or one it includes, has mistakes: all of them.
        InvalidInput: the file cannot be read.

    """
    file = File(path)

    def open_beside(name: str) -> bytes:
        own = file.parent / name
        # The file itself is never looked for among the shipped ones: a mistyped path
        # must not run under other rules than the author meant.
        if own.is_file() or name == file.name:
            return own.read_bytes()
        return _open_shipped(name)

    try:
        notebook, document = _merged(file.name, open_beside)
    except OSError as error:
        message = f"{path}: {error.strerror or error}"
        raise InvalidInput(message) from error
    return _build(notebook, with_digits(document, notebook))


def rebuild(document: bytes) -> Lifecycle:
    """Return a lifecycle from its stored `document`, as `Lifecycle.document` gives it.

    Raises:
        InvalidLifecycle: the document has mistakes.

    """
    try:
        data = msgspec.json.decode(document, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        mistake = Mistake(Place(STORED, 0), "", f"not a JSON object: {error}")
        raise InvalidLifecycle((mistake,)) from error
    return _build(Notebook(STORED, {}), data)


def _open_shipped(name: str) -> bytes:
    file = resources.files(SHIPPED).joinpath(*name.split("/"))
    if not file.is_file():
        raise FileNotFoundError(name)
    return file.read_bytes()


def _merged(name: str, open_file: Open) -> tuple[Notebook, Mapping[str, Any]]:
    merge = Merge(open_file)
    merge.file(name)
    notebook = Notebook(name, merge.places)
    notebook.mistakes.extend(merge.mistakes)
    if merge.incomplete:
        # Declarations in an unreadable file would be reported as missing.
        _refuse(notebook)
    return notebook, merge.document


def _build(notebook: Notebook, document: Mapping[str, Any]) -> Lifecycle:
    lifecycle = read_lifecycle(Table(notebook, (), document))
    check(lifecycle, notebook)
    if notebook.mistakes:
        _refuse(notebook)
    canonical = _canonical(document)
    return attrs.evolve(
        lifecycle, hash=hashlib.sha256(canonical).hexdigest(), document=canonical
    )


def _refuse(notebook: Notebook) -> NoReturn:
    mistakes = list(dict.fromkeys(notebook.mistakes))
    mistakes.sort(key=lambda mistake: mistake.place)
    raise InvalidLifecycle(tuple(mistakes))
