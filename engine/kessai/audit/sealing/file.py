"""A seal as a file: one line a chain, and a last line that is signed.

    {"format":"kessai seal 1"}
    ["A-1",9,"5f…"]                     id, number of events, hash of the last
    {"chains":1,"events":9,"format":"kessai seal 1","key":"…","lifecycles":["…"],
     "previous":"…","root":"…","signature":"…","time":"2026-04-01T00:00:00Z"}

Chains are sorted by id. `root` is the hash of the Merkle tree of their lines; so the
signature, of the last line in canonical form without itself, is one of all of them.
`previous` is the SHA-256 of the seal before as a file, or empty. Line by line, a seal
of a large store is written and read without holding it in memory.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import attrs
import msgspec

from kessai.audit.sealing.keys import PublicKey
from kessai.audit.sealing.merkle import Tree
from kessai.errors import InvalidInput, TrailBroken

FORMAT = "kessai seal 1"
LONGEST_LINE = 16_777_216
"""No line of a seal is longer: a file without line ends must not fill the memory."""

Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
canonical = msgspec.json.Encoder(order="sorted").encode
"""A line of a seal; that of a chain is the leaf of the tree, too."""

FIRST = canonical({"format": FORMAT}) + b"\n"
"""How a seal begins."""


class Chain(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """A chain as it was sealed: whose, how many events, and the hash of the last."""

    transaction: str
    version: Annotated[int, msgspec.Meta(ge=1)]
    head: Hash


class Summary(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is signed."""

    format: str = FORMAT
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    chains: int
    events: int
    root: Hash
    lifecycles: tuple[Hash, ...]
    key: str
    previous: str
    signature: str = ""

    def message(self) -> bytes:
        """The bytes that the signature is of."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        del data["signature"]
        return canonical(data)


@attrs.frozen
class Seal:
    """A seal whose signature and tree hold; its chains are read when they are needed."""

    path: Path
    summary: Summary
    digest: str

    @property
    def time(self) -> datetime:
        """When the store was sealed."""
        return self.summary.time

    def chains(self) -> Iterator[Chain]:
        """All chains, sorted by id.

        Raises:
            InvalidInput: the file is not what it was when it was checked.

        """
        digest = hashlib.sha256()
        with self.path.open("rb") as file:
            for line in _lines(file, self.path):
                digest.update(line)
                if line.startswith(b"["):
                    yield _chain(line, self.path)
        if digest.hexdigest() != self.digest:
            message = f"{self.path}: was changed while it was read"
            raise InvalidInput(message)


def read_seal(path: Path | str, public_key: PublicKey) -> Seal:
    """The seal in the file `path`, checked against itself and the key.

    Raises:
        InvalidInput: it is no seal, or another key's.
        TrailBroken: it is not what was signed.

    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            summary, digest, counted = _read(file, path)
    except OSError as error:
        message = f"{path}: the seal cannot be read: {error.strerror}"
        raise InvalidInput(message) from None
    if summary.key != public_key.id:
        message = (
            f"{path}: was signed by key {summary.key}, not by {public_key.id},"
            " which is the one given"
        )
        raise InvalidInput(message)
    if counted != (summary.chains, summary.events, summary.root) or not (
        public_key.has_signed(summary.message(), _signature(summary, path))
    ):
        raise _changed(path)
    return Seal(path, summary, digest)


def _read(file: BinaryIO, path: Path) -> tuple[Summary, str, tuple[int, int, str]]:
    digest, tree = hashlib.sha256(), Tree()
    chains = events = 0
    last, summary = "", None
    for number, line in enumerate(_lines(file, path), 1):
        digest.update(line)
        if summary is not None or (number == 1) != (line == FIRST):
            raise _no_seal(path, number)
        if line.startswith(b"["):
            chain = _chain(line, path, number)
            if chains and chain.transaction <= last:
                raise _no_seal(path, number)
            last = chain.transaction
            tree.add(line.rstrip(b"\n"))
            chains, events = chains + 1, events + chain.version
        elif number > 1:
            summary = _summary(line, path, number)
    if summary is None:
        raise _no_seal(path, 1 if not chains else chains + 2)
    return summary, digest.hexdigest(), (chains, events, tree.root())


def _lines(file: BinaryIO, path: Path) -> Iterator[bytes]:
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if not line.endswith(b"\n"):
            raise _no_seal(path, number)
        yield line


def _chain(line: bytes, path: Path, number: int | None = None) -> Chain:
    try:
        return _decode_chain(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise _no_seal(path, number) from None


def _summary(line: bytes, path: Path, number: int) -> Summary:
    try:
        summary = _decode_summary(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _no_seal(path, number) from None
    if summary.format != FORMAT:
        raise _no_seal(path, number)
    if (
        canonical(summary) + b"\n" != line
    ):  # what is read alike may be written otherwise
        raise _changed(path)
    return summary


def _signature(summary: Summary, path: Path) -> bytes:
    try:
        signature = bytes.fromhex(summary.signature)
    except ValueError:
        raise _changed(path) from None
    if signature.hex() != summary.signature:
        raise _changed(path)
    return signature


def _changed(path: Path) -> TrailBroken:
    return TrailBroken(f"{path}: the seal was changed after it was signed")


def _no_seal(path: Path, number: int | None) -> InvalidInput:
    where = "" if number is None else f" line {number}:"
    return InvalidInput(
        f"{path}:{where} not a whole seal of the form {FORMAT!r}, as"
        " `kessai audit seal` writes it"
    )


_decode_chain = msgspec.json.Decoder(Chain).decode
_decode_summary = msgspec.json.Decoder(Summary).decode
