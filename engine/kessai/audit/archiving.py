"""An archive: an SQLite store of transactions that have ended, taken out of another store.

Chosen ones are frozen (`kessai.flow.archive`), copied to a new file, which gets its name
once it is whole and on the disk, and verified there. Only then is each removed from the
store that it came from, which keeps its last event, its id and its keys. Broken off at any
moment, it goes on when it is done again with the same file.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

import attrs

from kessai.audit.sealing.keys import PrivateKey
from kessai.audit.sealing.seal import write_seal
from kessai.audit.verification.report import Report
from kessai.audit.verification.verify import verify
from kessai.driver import utc_now
from kessai.errors import InvalidInput, StoreFailed, StoreUnsuitable, TrailBroken
from kessai.flow.archive import Archivable, copy_of, freeze, removal_of
from kessai.flow.steps import machine_of
from kessai.limits import ARCHIVED_AFTER
from kessai.machine import Transaction
from kessai.shell import Engine
from kessai.stores import Store
from kessai.stores.memory import MemoryStore
from kessai.stores.sqlite import SQLiteStore
from kessai.whole_file import check_place, companions, keep

TOGETHER = 100
"""So many transactions are copied in one commit."""

_PAGE = 1_000


@attrs.frozen
class ArchivingResult:
    """What came of it. Nothing was removed if the archive's `report` does not hold.

    `unread` are how many stay because a subscriber of the feed has not read all of
    them; `seal` is the file of the seal, if one was asked for.
    """

    path: Path
    moved: int
    unread: int
    report: Report | None = None
    seal: Path | None = None


def archive(
    engine: Engine,
    path: Path,
    archivable: Archivable,
    *,
    actor: str,
    key: PrivateKey | None = None,
) -> ArchivingResult:
    """Move what is `archivable` from the engine's store to a new store in the file `path`.

    A charge goes with its agreement and its other charges, or not at all. With a `key`
    the archive is sealed in a file beside it.

    Raises:
        InvalidInput: another file is there; or the time is not a day ago (`limits.ARCHIVED_AFTER`).
        StoreUnsuitable: the store is in memory.
        StoreBusy, StoreFailed, CommitUnknown: do it again, with the same file.
        TrailBroken: a trail does not hold; nothing was removed.

    """
    unread = 0
    if isinstance(engine.store, MemoryStore):
        message = "memory: ends with its process, so nothing of it is archived"
        raise StoreUnsuitable(message)
    _clear(_draft_of(path))  # of one that was killed
    if not path.exists():
        _check(path, archivable)
        names, unread = _frozen(engine, path.name, archivable, actor)
        if not names:
            return ArchivingResult(path, 0, unread)
        _copy(engine, path, names)
    with SQLiteStore(path, must_exist=True) as copied:
        leaving = _still_here(engine.store, copied, path)
        report, seal = _proved(copied, path, key)
        if not report.holds:
            return ArchivingResult(path, 0, unread, report)
        for each in leaving:
            engine.store.append(engine.drive(removal_of(each)))
    return ArchivingResult(path, len(leaving), unread, report, seal)


def _frozen(
    engine: Engine, label: str, archivable: Archivable, actor: str
) -> tuple[list[str], int]:
    """The transactions that are frozen for this archive, and how many are unread."""
    unread = {*_unread(engine.store)}
    chosen, held = _chosen(engine, archivable, unread)
    missed: set[str] = set()
    freezing = {"archive": label, "actor": actor}
    for name, family in chosen:
        if family not in missed and not engine.drive(
            freeze(engine.context, name, archivable, **freezing)
        ):
            missed.add(family)
    missed.update(_grown(engine.store, dict(chosen)))
    return [name for name, family in chosen if family not in missed], held


def _grown(store: Store, chosen: Mapping[str, str]) -> Iterator[str]:
    """The agreements among `chosen` that were charged once more before they were frozen."""
    for each in store.transactions():
        agreement = each.agreement
        if agreement is not None and agreement in chosen and each.id not in chosen:
            yield agreement


def _chosen(
    engine: Engine, archivable: Archivable, unread: set[str]
) -> tuple[list[tuple[str, str]], int]:
    """Those to be archived with their families, an agreement after its charges.

    A family is an agreement with all of its charges: where one stays, all do.
    """
    staying: set[str] = set()
    waiting: set[str] = set()
    ended: list[tuple[bool, str, str]] = []
    for each in engine.store.transactions():
        family = each.agreement or each.id
        machine = engine.drive(machine_of(engine.context, each))
        if machine is None or not archivable.has(machine, each):
            staying.add(family)
            continue
        ended.append((each.agreement is None, each.id, family))
        if each.id in unread:
            waiting.add(family)
    able = [
        (name, family) for _, name, family in sorted(ended) if family not in staying
    ]
    chosen = [each for each in able if each[1] not in waiting]
    return chosen, len(able) - len(chosen)


def _unread(store: Store) -> Iterator[str]:
    """The transactions of which some subscriber has not been given all events."""
    for subscriber in store.subscribers():
        yield from (each.transaction for each in subscriber.undelivered)
        position = subscriber.position
        while found := store.feed(position, _PAGE):
            yield from (each.record.transaction for each in found)
            position = found[-1].position


def _copy(engine: Engine, path: Path, names: Sequence[str]) -> None:
    """Write them to a new file, which gets its name once it is whole."""
    beside = _draft_of(path)
    try:
        with SQLiteStore(beside) as store:
            for first in range(0, len(names), TOGETHER):
                some = names[first : first + TOGETHER]
                copies = [engine.drive(copy_of(engine.context, name)) for name in some]
                for error in store.append_each([*chain(*copies)]):
                    if error is not None:
                        raise error
            store.scrub()  # nothing of it may be left in its log
        with beside.open("rb+") as file:
            keep(file, path)
    except OSError as error:
        message = f"{path}: the archive cannot be written: {error.strerror}"
        raise StoreFailed(message) from error
    finally:
        _clear(beside)


def _draft_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _clear(path: Path) -> None:
    for each in (path, *companions(path)):
        each.unlink(missing_ok=True)


def _check(path: Path, archivable: Archivable) -> None:
    latest = utc_now() - ARCHIVED_AFTER
    if archivable.until > latest:
        message = (
            f"until: {archivable.until:%Y-%m-%d %H:%M:%SZ} is too late: what changed less"
            f" than {ARCHIVED_AFTER} ago may not be archived"
        )
        raise InvalidInput(message)
    try:
        check_place(path)
    except OSError as error:
        message = f"{path}: {error.strerror}"
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


def _proved(
    copied: Store, path: Path, key: PrivateKey | None
) -> tuple[Report, Path | None]:
    """The archive verified, and sealed if there is a key and no seal yet."""
    seal = path.with_name(f"{path.name}.seal")
    if key is None or seal.exists():
        return verify(copied), None
    made = write_seal(copied, key, seal, utc_now())
    return made.report, seal if made.seal else None
