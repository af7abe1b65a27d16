"""What a disk may hold after the power went: every image that the deeds before allow.

What was synced is there. Each write since is there, or lost, or torn: cut off at a
sector or at any byte, or with some of its sectors missing. A cut may not have happened.
A file may have grown and hold zeros where its new content should be. A name may be that
of the file before, of the one after, or gone, until its folder is synced.
"""

from itertools import pairwise

import attrs

from breakage.recording import Commit, Create, Delete, Sync, Truncate, Write

SECTOR = 512


@attrs.define(eq=False)
class Inode:
    """A file: what is surely in it, and what was done to it since."""

    sure: bytes = b""
    since: list = attrs.Factory(list)

    def sync(self):
        held = bytearray(self.sure)
        for deed in self.since:
            apply(held, deed)
        self.sure, self.since = bytes(held), []


@attrs.define
class Disk:
    """Names, each with the files that it may stand for: the sure one first."""

    files: dict = attrs.Factory(dict)
    names: dict = attrs.Factory(dict)
    commits: int = 0

    def do(self, deed):
        match deed:
            case Commit():
                self.commits += 1
            case Create(name, file):
                self.files[file] = Inode()
                self.names.setdefault(name, [None]).append(file)
            case Write(file) | Truncate(file):
                self.files[file].since.append(deed)
            case Sync(file, and_folder):
                self.files[file].sync()
                if and_folder:
                    self._sync_folder()
            case Delete(name, and_sync):
                self.names.setdefault(name, [None]).append(None)
                if and_sync:
                    self._sync_folder()

    def _sync_folder(self):
        for name, files in self.names.items():
            self.names[name] = files[-1:]

    @property
    def is_resolved(self):
        """Whether there is only one image of it."""
        alone = all(len(files) == 1 for files in self.names.values())
        current = [self.files[f] for names in self.names.values() for f in names if f]
        return alone and not any(file.since for file in current)


def apply(held, deed):
    """Do to the bytes of a file what was done to it."""
    if isinstance(deed, Truncate):
        del held[deed.size :]
        held.extend(bytes(deed.size - len(held)))
        return
    end = deed.offset + len(deed.data)
    if len(held) < end:
        held.extend(bytes(end - len(held)))
    held[deed.offset : end] = deed.data


class Chance:
    """Draws images of a disk. One draw in seven loses all, one in seven keeps all."""

    def __init__(self, random):
        self._random = random

    def image(self, disk):
        """The files by name, and a short text that identifies this draw."""
        files, choices = {}, []
        lost = self._random.choice((0.0, 1.0, 0.5, 0.5, 0.1, 0.9, None))
        for name, candidates in disk.names.items():
            chosen = self._random.randrange(len(candidates)) if lost != 0.0 else -1
            choices.append(chosen % len(candidates))
            if (file := candidates[chosen]) is None:
                continue
            files[name] = self._content(disk.files[file], lost, choices)
        return files, tuple(choices)

    def _content(self, inode, lost, choices):
        held = bytearray(inode.sure)
        whole = len(held)
        # None: cut off at one moment, as a disk does that writes in order.
        last = self._random.randrange(len(inode.since) + 1) if lost is None else -1
        for number, deed in enumerate(inode.since):
            share = lost if lost is not None else float(number >= last)
            kept = self._kept(deed, share, is_last=number == last)
            choices.append(kept)
            whole = max(whole, _end(deed))
            for part in _parts(deed, kept):
                apply(held, part)
        grown = whole > len(held) and self._random.random() < 0.2
        choices.append(grown)
        if grown:
            held.extend(bytes(whole - len(held)))
        return bytes(held)

    def _kept(self, deed, lost, *, is_last):
        """True, False, or which part of a write: (first byte, end) or sectors' bits."""
        random = self._random
        size = len(deed.data) if isinstance(deed, Write) else 0
        torn = size and lost != 0.0 and (is_last or random.random() < 0.15)
        if not torn:
            return random.random() >= lost
        match random.randrange(4):
            case 0:
                return (0, random.randrange(size // SECTOR + 1) * SECTOR)
            case 1:
                return (0, random.randrange(size))
            case 2:
                return (random.randrange(size), size)
            case _:
                return random.getrandbits(size // SECTOR + 1)


def _end(deed):
    return deed.offset + len(deed.data) if isinstance(deed, Write) else 0


def _parts(deed, kept):
    if kept is True:
        return [deed]
    if kept is False:
        return []
    if isinstance(kept, tuple):
        return [_part(deed, *kept)]
    # Sectors as they lie on the disk, not as they lie in the write.
    edges = [deed.offset, *_sector_edges(deed), _end(deed)]
    pairs = pairwise(edges)
    return [
        _part(deed, begin - deed.offset, end - deed.offset)
        for bit, (begin, end) in enumerate(pairs)
        if kept >> bit & 1
    ]


def _sector_edges(deed):
    first = deed.offset - deed.offset % SECTOR + SECTOR
    return range(first, _end(deed), SECTOR)


def _part(deed, begin, end):
    return Write(deed.file, deed.offset + begin, deed.data[begin:end])
