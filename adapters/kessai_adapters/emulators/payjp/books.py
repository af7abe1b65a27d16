"""All that the gateway keeps: objects as they are shown, and what it hides of them.

Knows ids, kinds and time, and no rule. With a `Shelf` the books are in a file.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs

from kessai_adapters.emulators.payjp.problems import refuse_missing
from kessai_adapters.emulators.shelf import Serial, Shelf

PREFIXES: Final = {
    "payment_flow": "pfw",
    "payment_refund": "re",
    "setup_flow": "sfw",
    "customer": "cus",
    "payment_method": "pm",
    "event": "evnt",
}
"""How the id of each kind of object begins."""

FLOWS: Final = frozenset({"payment_flow", "setup_flow"})
"""The kinds of what a shop has for an order."""

_TIMES: Final = "%Y-%m-%dT%H:%M:%S.%fZ"


def written(at: datetime) -> str:
    """A time as the wire has it: ISO 8601, in UTC."""
    return at.astimezone(UTC).strftime(_TIMES)


def moment(text: str) -> datetime:
    """The time that the wire has as `text`."""
    return datetime.fromisoformat(text)


@attrs.define(eq=False)
class Kept:
    """An object: what the merchant is shown, and what only the gateway knows of it."""

    shown: dict[str, Any]
    hidden: dict[str, Any] = attrs.field(factory=dict[str, Any], repr=False)

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.shown["id"])

    @property
    def kind(self) -> str:
        """What kind of object it is, by the wire's word."""
        return str(self.shown["object"])

    def __getitem__(self, name: str) -> Any:
        return self.shown[name]


class Books:
    """Every object by its id, oldest first."""

    def __init__(
        self, clock: Callable[[], datetime], shelf: Shelf | None, *, livemode: bool
    ) -> None:
        self.clock = clock
        self.consumer_waits: timedelta | None = None
        """How long a flow may wait for its consumer; None: forever."""
        self.objects: dict[str, Kept] = {}
        self._livemode = livemode
        self._shelf = shelf
        self._serial = Serial(shelf)
        rows = () if shelf is None else shelf.rows()
        found = [Kept(**json.loads(row)) for row in rows]
        for kept in sorted(found, key=lambda one: int(one.hidden["serial"])):
            self.objects[kept.id] = kept

    def __len__(self) -> int:
        return len(self.objects)

    def whole(self) -> AbstractContextManager[None]:
        """Keep all that is written meanwhile, or nothing of it."""
        return nullcontext() if self._shelf is None else self._shelf.whole()

    def make(self, kind: str, id_: str | None = None, **shown: Any) -> Kept:
        """A new object of `kind`; it is kept once it is saved."""
        serial = self._serial.next()
        now = written(self.clock())
        id_ = id_ or f"{PREFIXES[kind]}_{_code(kind, serial)}"
        head = {"object": kind, "id": id_, "livemode": self._livemode}
        times = {"created_at": now, "updated_at": now}
        return Kept({**head, **shown, **times}, {"serial": serial})

    def save(self, kept: Kept) -> Kept:
        """Keep an object as it is now."""
        kept.shown["updated_at"] = written(self.clock())
        self.objects[kept.id] = kept
        if self._shelf is not None:
            self._shelf.keep(kept.id, json.dumps(attrs.asdict(kept)))
        return kept

    def find(self, kind: str, id_: str) -> Kept:
        """The object of `kind` with this id.

        Raises:
            Problem: there is none.

        """
        kept = self.objects.get(id_)
        if kept is None or kept.kind != kind:
            refuse_missing(kind)
        return kept

    def flows(self) -> list[Kept]:
        """Every flow, of either kind, oldest first."""
        return [kept for kept in tuple(self.objects.values()) if kept.kind in FLOWS]

    def named(self, name: str) -> str:
        """The id of the flow that somebody means: by its id, or by its metadata.

        Of several it is the last. What is none is returned as it is.
        """
        if name not in self.objects:
            for flow in reversed(self.flows()):
                if name in flow["metadata"].values():
                    return flow.id
        return name

    def all(self, kind: str, **having: str | None) -> Iterator[Kept]:
        """The objects of `kind`, newest first, whose members are as given."""
        wanted = {name: value for name, value in having.items() if value is not None}
        for kept in reversed(self.objects.values()):
            if kept.kind == kind and all(kept[n] == v for n, v in wanted.items()):
                yield kept

    def is_given_up(self, flow: Kept) -> bool:
        """Whether `flow` is older than it may be while it waits for its consumer."""
        age = self.clock() - moment(flow["created_at"])
        return self.consumer_waits is not None and age >= self.consumer_waits

    def close(self) -> None:
        """Let go of the file."""
        if self._shelf is not None:
            self._shelf.close()
            self._shelf = None


def _code(kind: str, serial: int) -> str:
    return hashlib.sha256(f"{kind} {serial}".encode()).hexdigest()[:24]
