"""Seals: signed summaries of all chains, kept where the store's owner cannot reach them.

    write_seal(store, key, path, now)                     # verifies the store first
    verify(store, seals=[read_seal(path, public_key)])

Who may write to the database and knows how events are hashed can write a chain anew,
with a state that belongs to it, and everything in the store agrees again. A seal
records how long each chain was and what its last hash was: each sealed chain must be
the beginning of the present one.

What a seal holds: per transaction its id, how many events it had, and the hash of the
last; the hashes of the lifecycle files; counts, a time, the id of the key, the digest
of the seal before. No amount, no name, nothing that a gateway stated. Ids stand in it
as they are: a hash of an order number is undone by counting through them, and would
only keep the auditor from learning which transaction has vanished.
"""

from kessai.audit.sealing.file import Chain, Seal, read_seal
from kessai.audit.sealing.keys import (
    PrivateKey,
    PublicKey,
    new_private_key,
    read_private_key,
    read_public_key,
)

__all__ = [
    "Chain",
    "PrivateKey",
    "PublicKey",
    "Seal",
    "new_private_key",
    "read_private_key",
    "read_public_key",
    "read_seal",
]
