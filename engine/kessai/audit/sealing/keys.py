"""Ed25519 keys in files: made for their owner alone, read, and never shown.

`cryptography` is imported when a key is needed. The private half stands in one PEM file
(PKCS 8, as `openssl genpkey -algorithm ed25519` makes it too), the public half is 64
hexadecimal digits or a PEM file.
"""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from kessai.errors import AdapterMissing, InvalidInput
from kessai.whole_file import draft, keep, others_may_read

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

OWNER_ALONE = 0o600
_HEX = re.compile(r"[0-9a-fA-F]{64}")
_MOST_BYTES = 65_536
"""No key file is longer: what is, is another file."""


@attrs.frozen
class PublicKey:
    """Who seals: 32 bytes that may be shown to anyone."""

    raw: bytes = attrs.field(repr=False)

    @property
    def hex(self) -> str:
        """The key as it is shown and given."""
        return self.raw.hex()

    @property
    def id(self) -> str:
        """What a seal names it by: the beginning of its SHA-256."""
        return hashlib.sha256(self.raw).hexdigest()[:16]

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is this key's, of `message`."""
        from cryptography.exceptions import InvalidSignature

        try:
            key = _ed25519().Ed25519PublicKey.from_public_bytes(self.raw)
            key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


@attrs.frozen(repr=False, eq=False)
class PrivateKey:
    """Who can seal. It shows itself nowhere."""

    _key: "Ed25519PrivateKey"

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return PublicKey(self._key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """The signature of `message`."""
        return self._key.sign(message)


def new_private_key(path: Path | str) -> PublicKey:
    """Make a key in a new file that only its owner can read; its public half.

    Raises:
        InvalidInput: the file is there already, or cannot be made.
        AdapterMissing: the extra `seal` is not installed.

    """
    ed25519 = _ed25519()
    from cryptography.hazmat.primitives import serialization

    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = Path(path)
    try:
        with draft(path, mode=OWNER_ALONE) as file:
            file.write(pem)
            keep(file, path)
    except FileExistsError:
        message = f"{path}: is there already; a key is never overwritten"
        raise InvalidInput(message) from None
    except OSError as error:
        message = f"{path}: the key cannot be written: {error.strerror}"
        raise InvalidInput(message) from None
    return PrivateKey(key).public


def read_private_key(path: Path | str) -> PrivateKey:
    """The key in the file `path`.

    Raises:
        InvalidInput: there is none, or others may read it.
        AdapterMissing: the extra `seal` is not installed.

    """
    ed25519 = _ed25519()
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    path = Path(path)
    pem = _read(path)
    if others_may_read(path):
        message = f"{path}: others may read this key; `chmod 600 {path}` mends that"
        raise InvalidInput(message)
    key = _loaded(load_pem_private_key, pem, ed25519.Ed25519PrivateKey, password=None)
    if key is None:
        message = (
            f"{path}: not an Ed25519 private key in PEM without a passphrase;"
            " `kessai audit seal --new-key FILE` makes one"
        )
        raise InvalidInput(message)
    return PrivateKey(key)


def read_public_key(given: str | Path) -> PublicKey:
    """The key `given` as 64 hexadecimal digits, or as a file that holds it.

    Raises:
        InvalidInput: it is none.
        AdapterMissing: the extra `seal` is not installed.

    """
    ed25519 = _ed25519()
    given = str(given)
    if _HEX.fullmatch(given):
        return PublicKey(bytes.fromhex(given))
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    content = _read(Path(given))
    text = content.decode("ascii", "replace").strip()
    if _HEX.fullmatch(text):
        return PublicKey(bytes.fromhex(text))
    key = _loaded(load_pem_public_key, content, ed25519.Ed25519PublicKey)
    if key is None:
        message = (
            f"{given}: not an Ed25519 public key; 64 hexadecimal digits are right,"
            " or a file with them, or a PEM file"
        )
        raise InvalidInput(message)
    return PublicKey(key.public_bytes_raw())


def _loaded(load: Callable[..., Any], pem: bytes, kind: type, **options: Any) -> Any:
    """The key of that kind in `pem`, or None.

    What the library reports of it might repeat some of it, and goes no further.
    """
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        key = load(pem, **options)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, kind) else None


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        message = (
            "seals need the package cryptography: pip install 'kessai[seal]' brings it"
        )
        raise AdapterMissing(message) from error
    return ed25519


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a path"
        message = f"{path}: the key cannot be read: {why}"
        raise InvalidInput(message) from None
    if len(content) > _MOST_BYTES:
        message = f"{path}: too long for a key"
        raise InvalidInput(message)
    return content
