"""An archive: an SQLite store of transactions that have ended, taken out of another store.

Chosen ones are frozen (`kessai.flow.archive`), copied to a new file, which gets its name
once it is whole and on the disk, and verified there. Only then is each removed from the
store that it came from, which keeps its last event, its id and its keys. Broken off at any
moment, it goes on when it is done again with the same file.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path

import attrs

from kessai.audit.sealing.file import read_seal
from kessai.audit.sealing.keys import PrivateKey
from kessai.audit.sealing.seal import write_seal
from kessai.audit.verification.report import Report
from kessai.audit.verification.verify import verify
from kessai.driver import utc_now
from kessai.errors import InvalidInput, StoreFailed, StoreUnsuitable, TrailBroken
from kessai.flow import Subscriber
from kessai.flow.archive import Archivable, copy_of, freeze, removal_of
from kessai.flow.operator import check_actor
from kessai.flow.steps import machine_of
from kessai.limits import ARCHIVED_AFTER
from kessai.machine import Transaction
from kessai.shell import Engine
from kessai.stores import Store
from kessai.stores.memory import MemoryStore
from kessai.stores.sqlite import SQLiteStore
from kessai.whole_file import check_folder, check_place, companions, keep

TOGETHER = 100
"""So many transactions are copied in one commit."""

_PAGE = 1_000
_OWN = 0o600


@attrs.frozen
class ArchivingResult:
    """What came of it. Nothing was removed if the archive's `report` does not hold.

    `unread` are how many stay because a subscriber of the feed, one of `unread_by`, has
    not read all of them. `elsewhere` are how many stay because they are frozen for
    another archive, by its name. `seal` is the file of the seal, if one was asked for.
    """

    path: Path
    moved: int
    unread: int = 0
    unread_by: tuple[str, ...] = ()
    elsewhere: Mapping[str, int] = attrs.field(factory=dict)
    report: Report | None = None
    seal: Path | None = None


def archive(
    engine: Engine,
    path: Path,
    archivable: Archivable,
    *,
    actor: str,
    key: PrivateKey | None = None,
    ignoring: Collection[str] = (),
) -> ArchivingResult:
    """Move what is `archivable` from the engine's store to a new store in the file `path`.

    A charge goes with its agreement and its other charges, or not at all. With a `key`
    the archive is sealed in a file beside it. Subscribers that one is `ignoring` need not
    have read what is moved.

    Raises:
        InvalidInput: another file is there, or the store itself; an archive of that name
            was made before; another archiving to it is under way; `actor` is no name; or
            the time is not a day ago (`limits.ARCHIVED_AFTER`).
        StoreUnsuitable: the store is in memory.
        StoreBusy, StoreFailed, CommitUnknown: do it again, with the same file.
        TrailBroken: a trail does not hold; nothing was removed.

    """
    if isinstance(engine.store, MemoryStore):
        message = "memory: ends with its process, so nothing of it is archived"
        raise StoreUnsuitable(message)
    check_actor(actor)
    _refuse_itself(engine.store, path)
    seal = _Sealing(path, key)
    made = ArchivingResult(path, 0)
    try:
        with _alone_at(path):
            if not path.exists():
                _check(path, archivable, seal)
                made = _make(engine, path, archivable, actor, ignoring)
                if not path.exists():
                    return made
            return _finish(engine, made, seal)
    except OSError as error:
        message = f"{path}: the archive cannot be written: {error.strerror}"
        raise StoreFailed(message) from error


def _refuse_itself(store: Store, path: Path) -> None:
    if isinstance(store, SQLiteStore) and path.exists() and path.samefile(store.path):
        message = f"{path}: is the store itself, and no archive of it"
        raise InvalidInput(message)


@contextmanager
def _alone_at(path: Path) -> Iterator[None]:
    """Keep others from archiving to the same file."""
    from filelock import FileLock, Timeout

    beside = path.with_name(f".{path.name}.lock")
    check_folder(path)
    try:
        with FileLock(beside, timeout=0):
            try:
                yield
            finally:
                with suppress(OSError):  # where files are not removed while open
                    beside.unlink()
    except Timeout:
        message = f"{path}: another archiving to it is under way"
        raise InvalidInput(message) from None


def _make(
    engine: Engine,
    path: Path,
    archivable: Archivable,
    actor: str,
    ignoring: Collection[str],
) -> ArchivingResult:
    """Make the archive, if anything goes into it.

    Its file is there before anything is frozen for it: where none can be written, all
    stays as it is.
    """
    choice = _chosen(engine, path, archivable, ignoring)
    with _draft(engine.store, path) as beside:
        with SQLiteStore(beside) as copied:
            names = _frozen(engine, path.name, archivable, actor, choice.chosen)
            try:
                _copy(engine, copied, names)
            except StoreFailed as error:
                message = (
                    f"{error}; {len(names):,} transactions are frozen for {path.name},"
                    " and still all here: do the same again"
                )
                raise StoreFailed(message) from error
        if names:
            with beside.open("rb+") as file:
                keep(file, path)
    return ArchivingResult(
        path, 0, choice.unread, choice.unread_by, dict(choice.elsewhere)
    )


def _finish(
    engine: Engine, made: ArchivingResult, sealing: "_Sealing"
) -> ArchivingResult:
    """Prove the archive, and remove from the store what is in it."""
    with SQLiteStore(made.path, must_exist=True) as copied:
        leaving = _still_here(engine.store, copied, made.path)
        report, seal = sealing.proved(copied)
        if report.holds:
            for each in leaving:
                engine.store.append(engine.drive(removal_of(each)))
    moved = len(leaving) if report.holds else 0
    return attrs.evolve(made, moved=moved, report=report, seal=seal)


def _frozen(
    engine: Engine,
    label: str,
    archivable: Archivable,
    actor: str,
    chosen: Sequence[tuple[str, str]],
) -> list[str]:
    """Those of the `chosen` that are frozen for this archive."""
    missed: set[str] = set()
    freezing = {"archive": label, "actor": actor}
    for name, family in chosen:
        if family not in missed and not engine.drive(
            freeze(engine.context, name, archivable, **freezing)
        ):
            missed.add(family)
    missed.update(_grown(engine.store, dict(chosen)))
    return [name for name, family in chosen if family not in missed]


def _grown(store: Store, chosen: Mapping[str, str]) -> Iterator[str]:
    """The agreements among `chosen` that were charged once more before they were frozen."""
    for each in store.transactions():
        agreement = each.agreement
        if agreement is not None and agreement in chosen and each.id not in chosen:
            yield agreement


@attrs.define
class _Choice:
    """What is to be archived, with their families, and what stays: see the result."""

    chosen: list[tuple[str, str]]
    unread: int
    unread_by: tuple[str, ...]
    elsewhere: Counter[str]


def _chosen(
    engine: Engine, path: Path, archivable: Archivable, ignoring: Collection[str]
) -> _Choice:
    """Those to be archived with their families, an agreement after its charges.

    A family is an agreement with all of its charges: where one stays, all do.

    Raises:
        InvalidInput: an archive of that name was made before; or something is frozen for
            it that cannot be moved now.

    """
    readers = _unread(engine.store, ignoring)
    staying: set[str] = set()
    ended: list[tuple[bool, str, str]] = []
    frozen: dict[str, str] = {}
    elsewhere: Counter[str] = Counter()
    for each in engine.store.transactions():
        if each.is_removed and each.archived == path.name:
            message = (
                f"{path}: an archive of that name was made before; put it back there to"
                " go on with it, or give another name"
            )
            raise InvalidInput(message)
        family = each.agreement or each.id
        if each.archived and each.archived != path.name:
            elsewhere[each.archived] += not each.is_removed
            staying.add(family)
            continue
        machine = engine.drive(machine_of(engine.context, each))
        if each.archived:
            frozen[each.id] = family
        if machine is None or not (each.archived or archivable.has(machine, each)):
            staying.add(family)
            continue
        ended.append((each.agreement is None, each.id, family))
    able = [
        (name, family) for _, name, family in sorted(ended) if family not in staying
    ]
    waiting = {family for name, family in able if name in readers}
    _check_frozen(path, frozen, staying | waiting)
    chosen = [each for each in able if each[1] not in waiting]
    by = {each for name, _ in able for each in readers.get(name, ())}
    return _Choice(chosen, len(able) - len(chosen), tuple(sorted(by)), +elsewhere)


def _check_frozen(path: Path, frozen: Mapping[str, str], held: Collection[str]) -> None:
    """Make sure that of what is frozen for this archive no family is held back."""
    for name, family in frozen.items():
        if family in held:
            message = (
                f"{name}: is frozen for {path.name} by an archiving that broke off; to"
                " go on, choose the same as then, or more"
            )
            raise InvalidInput(message)


def _unread(store: Store, ignoring: Collection[str]) -> Mapping[str, set[str]]:
    """The subscribers that have not been given all events of a transaction."""
    found: dict[str, set[str]] = {}
    for subscriber in store.subscribers():
        if subscriber.name in ignoring:
            continue
        for name in _undelivered(store, subscriber):
            found.setdefault(name, set()).add(subscriber.name)
    return found


def _undelivered(store: Store, subscriber: Subscriber) -> Iterator[str]:
    yield from (each.transaction for each in subscriber.undelivered)
    position = subscriber.position
    while found := store.feed(position, _PAGE):
        yield from (each.record.transaction for each in found)
        position = found[-1].position


@contextmanager
def _draft(store: Store, path: Path) -> Iterator[Path]:
    """An empty file for the archive, gone at the end; who may read it, the store tells."""
    mode = store.path.stat().st_mode if isinstance(store, SQLiteStore) else _OWN
    beside = path.with_name(f".{path.name}.part")
    _clear(beside)  # of one that was killed
    try:
        beside.touch(mode & 0o666)
        yield beside
    finally:
        _clear(beside)


def _copy(engine: Engine, copied: SQLiteStore, names: Sequence[str]) -> None:
    """Write them to the archive, whole."""
    for first in range(0, len(names), TOGETHER):
        some = names[first : first + TOGETHER]
        copies = [engine.drive(copy_of(engine.context, name)) for name in some]
        for error in copied.append_each([*chain(*copies)]):
            if error is not None:
                raise error
    copied.scrub()  # nothing of it may be left in its log


def _clear(path: Path) -> None:
    for each in (path, *companions(path)):
        each.unlink(missing_ok=True)


def _check(path: Path, archivable: Archivable, sealing: "_Sealing") -> None:
    latest = utc_now() - ARCHIVED_AFTER
    if archivable.until > latest:
        message = (
            f"until: {archivable.until:%Y-%m-%d %H:%M:%SZ} is too late: what changed less"
            f" than {ARCHIVED_AFTER.total_seconds() / 3600:g} hours ago may not be archived"
        )
        raise InvalidInput(message)
    try:
        check_place(path)
        if sealing.key is not None:
            check_place(sealing.path)
    except OSError as error:
        message = f"{error.filename}: {error.strerror}"
        raise InvalidInput(message) from None


def _still_here(store: Store, copied: Store, path: Path) -> list[Transaction]:
    """Those in the archive that are frozen for it and still in the store.

    An agreement comes after its charges, which the store cannot be verified without.

    Raises:
        InvalidInput: the file is no archive of the store.
        TrailBroken: one is another than its copy.

    """
    found: list[Transaction] = []
    is_finished = False
    for each in copied.transactions():
        here = store.load(None, each.id, None).transaction
        if here is None or here.archived != path.name:
            continue
        if here.is_removed:
            is_finished = True
            continue
        if here != each:
            message = (
                f"{each.id}: in {path} it is not what it is in the store; nothing was"
                " removed: archive it in another file"
            )
            raise TrailBroken(message)
        found.append(each)
    if not found and not is_finished:
        message = f"{path}: is there already, and is no archive of this store"
        raise InvalidInput(message)
    return sorted(found, key=lambda each: each.agreement is None)


@attrs.frozen
class _Sealing:
    """How the archive at `archive` is sealed, if there is a key."""

    archive: Path
    key: PrivateKey | None

    @property
    def path(self) -> Path:
        """The file of the seal."""
        return self.archive.with_name(f"{self.archive.name}.seal")

    def proved(self, copied: Store) -> tuple[Report, Path | None]:
        """The archive verified, and sealed if there is a key and no seal yet.

        Raises:
            InvalidInput, TrailBroken: what is in place of the seal is none by this key.

        """
        if self.key is None:
            return verify(copied), None
        if self.path.exists():  # it was made before this was broken off
            seal = read_seal(self.path, self.key.public)
            return verify(copied, seals=[seal]), self.path
        made = write_seal(copied, self.key, self.path, utc_now())
        return made.report, self.path if made.seal else None
