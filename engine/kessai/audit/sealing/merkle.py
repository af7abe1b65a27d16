"""One hash of many leaves (RFC 6962, section 2.1), made as they come.

With such a tree one chain can be shown to be in a seal without showing the others.
"""

import hashlib


class Tree:
    """The Merkle tree of the leaves added so far; memory grows with its height."""

    def __init__(self) -> None:
        self._peaks: list[tuple[int, bytes]] = []
        """Full subtrees from left to right: height and hash."""

    def add(self, leaf: bytes) -> None:
        """Add a leaf at the right."""
        height, node = 0, hashlib.sha256(b"\x00" + leaf).digest()
        while self._peaks and self._peaks[-1][0] == height:
            _, left = self._peaks.pop()
            height, node = height + 1, _joined(left, node)
        self._peaks.append((height, node))

    def root(self) -> str:
        """The hash of all leaves, in hexadecimal."""
        if not self._peaks:
            return hashlib.sha256().hexdigest()
        *others, (_, node) = self._peaks
        for _, left in reversed(others):
            node = _joined(left, node)
        return node.hex()


def _joined(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
