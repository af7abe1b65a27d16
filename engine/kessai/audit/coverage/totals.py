"""What was exercised of lifecycles, counted: from trails, from test sessions, merged.

    coverage = from_store(store)
    coverage.merge(read_coverage(path))
    for point in covered(lifecycle, coverage).never: …

A denial before a transaction exists is bound to no lifecycle file. Its command, codes
and rules show which one it belongs to, where only one of the known lifecycles has them
all.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import attrs
import msgspec

from kessai.audit.coverage.exercised import exercised, refused
from kessai.audit.coverage.items import Point, points, refusals
from kessai.audit.verification.verify import Examined, verify
from kessai.errors import InvalidInput
from kessai.machine import Denied, Machine, Reason, Transaction, compile_lifecycle
from kessai.machine.chain import AppliedEvent
from kessai.machine.decide import REQUEST
from kessai.spec import Lifecycle
from kessai.stores import Store

FORMAT = "kessai coverage 1"
MOST_LOOSE = 10_000
"""How many kinds of denials without a lifecycle are distinguished."""

Told = tuple[str, str, str]
"""A reason's code and rule, and the open operations that it names, if any."""
Loose = tuple[str, tuple[Told, ...]]
"""A denial that is bound to no file: its command and what it was refused for."""

_encode = msgspec.json.Encoder(order="sorted").encode


@attrs.define
class Noted:
    """What was exercised under one lifecycle file: its name, counts by id."""

    name: str
    counts: Counter[str] = attrs.field(factory=Counter[str])


@attrs.define
class Coverage:
    """Counts by the hash of the lifecycle file, and denials bound to none."""

    noted: dict[str, Noted] = attrs.field(factory=dict[str, Noted])
    loose: Counter[Loose] = attrs.field(factory=Counter[Loose])

    def of(self, lifecycle: Lifecycle) -> Noted:
        """What is noted under `lifecycle`."""
        found = self.noted.get(lifecycle.hash)
        if found is None:
            found = self.noted[lifecycle.hash] = Noted(lifecycle.name)
        return found

    def note(self, step: AppliedEvent) -> None:
        """Count what an event exercised."""
        event = step.event
        if step.machine is not None:
            self.of(step.machine.lifecycle).counts.update(exercised(step))
        elif isinstance(event, Denied):
            self.note_loose(event)

    def note_loose(self, event: Denied) -> None:
        """Count a denial that is bound to no file."""
        kind = denial_of(event)
        if kind in self.loose or len(self.loose) < MOST_LOOSE:
            self.loose[kind] += 1

    def merge(self, other: "Coverage") -> None:
        """Add what `other` has counted."""
        for lifecycle_hash, noted in other.noted.items():
            mine = self.noted.setdefault(lifecycle_hash, Noted(noted.name))
            mine.counts.update(noted.counts)
        self.loose.update(other.loose)

    def data(self) -> dict[str, Any]:
        """All of it, as the file holds it."""
        return {
            "format": FORMAT,
            "kessai": version("kessai"),
            "lifecycles": {
                lifecycle_hash: {"name": noted.name, "counts": dict(noted.counts)}
                for lifecycle_hash, noted in self.noted.items()
            },
            "loose": [
                {"command": command, "reasons": reasons, "count": count}
                for (command, reasons), count in sorted(self.loose.items())
            ],
        }

    def encoded(self) -> bytes:
        """The bytes of a coverage file; the same counts give the same bytes."""
        return msgspec.json.format(_encode(self.data()), indent=1) + b"\n"


@attrs.frozen
class Covered:
    """A lifecycle's points with how often each was exercised.

    `unclear` counts denials that more than one lifecycle could have given, and
    `others` the files of the same name but another hash, under which nothing counts.
    """

    lifecycle: Lifecycle
    counts: Mapping[str, int]
    points: tuple[Point, ...]
    unclear: int = 0
    others: tuple[str, ...] = ()

    @property
    def never(self) -> tuple[Point, ...]:
        """What was never exercised."""
        return tuple(p for p in self.points if not self.counts.get(p.id))

    @property
    def share(self) -> float:
        """How much of it was exercised, from 0 to 100; all of nothing is 100."""
        total = len(self.points)
        return 100.0 if not total else 100 * (total - len(self.never)) / total


def from_store(store: Store) -> Coverage:
    """What the trails of a store exercised; only events that hold count.

    Raises:
        StoreBusy, StoreFailed: the store cannot be read.

    """
    coverage = Coverage()

    def visit(examined: Examined) -> None:
        for event, state, noted, _ in examined.walked:
            if state.machine is not None:
                coverage.of(state.machine.lifecycle).counts.update(noted)
            elif isinstance(event, Denied):
                coverage.note_loose(event)

    verify(store, visit, note=exercised)
    return coverage


def covered(
    lifecycle: Lifecycle, coverage: Coverage, known: Iterable[Lifecycle] = ()
) -> Covered:
    """`lifecycle` against `coverage`; `known` are those that a denial may be of too."""
    counts: Counter[str] = Counter()
    noted = coverage.noted.get(lifecycle.hash)
    if noted is not None:
        counts.update(noted.counts)
    rivals = [one for one in known if one.name != lifecycle.name]
    unclear = 0
    machine = compile_lifecycle(lifecycle)
    for (command, denied), count, is_clear in _loose(lifecycle, rivals, coverage.loose):
        if not is_clear:
            unclear += count
            continue
        reasons = [Reason(c, rule, {"operations": busy}) for c, rule, busy in denied]
        for found in refused(machine, Transaction(""), command, reasons):
            counts[found] += count
    others = sorted(
        found
        for found, noted in coverage.noted.items()
        if noted.name == lifecycle.name and found != lifecycle.hash
    )
    return Covered(lifecycle, counts, points(lifecycle), unclear, tuple(others))


def fits(machine: Machine, denial: Loose) -> bool:
    """Whether `machine` could have refused the command for all of the reasons."""
    command, reasons = denial
    rule = machine.commands.get(command)
    if rule is None:
        return False
    own = set(refusals(machine, rule.spec))
    denied = [(code, of) for code, of, _ in reasons if of != REQUEST]
    return bool(denied) and all(reason in own for reason in denied)


def denial_of(event: Denied) -> Loose:
    """A denial as it is counted while it is bound to no file."""
    return event.command, tuple(
        (reason.code, reason.rule, str(reason.values.get("operations", "")))
        for reason in event.reasons
    )


def _loose(
    lifecycle: Lifecycle, rivals: Iterable[Lifecycle], loose: Counter[Loose]
) -> Iterator[tuple[Loose, int, bool]]:
    """The denials bound to no file that `lifecycle` could have given."""
    own = compile_lifecycle(lifecycle)
    others = [compile_lifecycle(rival) for rival in rivals]
    for kind, count in loose.items():
        if fits(own, kind):
            yield kind, count, not any(fits(other, kind) for other in others)


@attrs.frozen
class _Counted:
    name: str
    counts: dict[str, int]


@attrs.frozen
class _Denials:
    command: str
    reasons: list[Told]
    count: int


@attrs.frozen
class _File:
    format: str
    lifecycles: dict[str, _Counted]
    loose: list[_Denials] = attrs.field(factory=list[_Denials])


def read_coverage(path: Path | str) -> Coverage:
    """What the coverage file at `path` has counted.

    Raises:
        InvalidInput: it cannot be read, or is no coverage file.

    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        message = f"{path}: {error.strerror or error}"
        raise InvalidInput(message) from error
    try:
        return decoded(raw)
    except InvalidInput as error:
        message = (
            f"{path}: {error}; `pytest --kessai-coverage=FILE` writes coverage files"
        )
        raise InvalidInput(message) from error


def decoded(raw: bytes) -> Coverage:
    """The counts in the bytes of a coverage file.

    Raises:
        InvalidInput: they are none.

    """
    try:
        read = msgspec.json.decode(raw, type=_File)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        message = f"not a coverage file: {error}"
        raise InvalidInput(message) from error
    if read.format != FORMAT:
        message = f"a coverage file of format {read.format!r}, not {FORMAT!r}"
        raise InvalidInput(message)
    coverage = Coverage()
    for lifecycle_hash, counted in read.lifecycles.items():
        counts = Counter(counted.counts)
        coverage.noted[lifecycle_hash] = Noted(counted.name, counts)
    for denials in read.loose:
        coverage.loose[denials.command, tuple(denials.reasons)] += denials.count
    return coverage
