"""OCEL 2.0: event logs of several objects, as JSON, as XML and as an SQLite database.

An event may be about several objects, of several types. One type is that of the orders;
an event is a row for each order that it names, as process mining flattens such logs.
Objects of other types have columns, too, called by their type: an agreement, say. What
objects have as attributes of their own is not read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import BinaryIO

import attrs
import msgspec

from kessai.audit.log_check.formats.table import (
    NOT_PLAIN,
    LogTable,
    NamedRow,
    named_table,
    plain_number,
)
from kessai.audit.log_check.formats.xml import Element, elements
from kessai.audit.log_check.words import BadValue, folded, meaning_of, shown
from kessai.errors import InvalidInput

EVENT_ID, ACTIVITY, TIME = "ocel:eid", "ocel:activity", "ocel:timestamp"


@attrs.frozen
class OcelEvent:
    """An event, with the values of its attributes and the ids of its objects."""

    id: str
    activity: str
    time: str
    values: Mapping[str, object]
    objects: tuple[str, ...]


NumberedEvent = tuple[int, OcelEvent | BadValue]


def ocel_table(
    events: Callable[[], Iterable[NumberedEvent]],
    types: Mapping[str, str],
    order: str | None,
) -> LogTable:
    """The table of `events`; `types` are those of the objects, by id.

    `order` is what was given as the column of orders.

    Raises:
        InvalidInput: it is not clear which type of objects the orders are.

    """
    of_orders = _type_of_orders(sorted(set(types.values())), order)

    def rows() -> Iterator[NamedRow]:
        for number, event in events():
            if isinstance(event, BadValue):
                yield number, event
            else:
                for named in _named(event, types, of_orders):
                    yield number, named

    fields = {"order": of_orders, "command": ACTIVITY, "time": TIME}
    return named_table("ocel", "event", rows, fields=fields)


def _type_of_orders(known: list[str], given: str | None) -> str:
    if given is not None:
        found = [name for name in known if folded(name) == folded(given)]
    else:
        words = meaning_of("columns")
        found = [name for name in known if words.get(folded(name)) == "order"]
        found = found or known
    if len(found) == 1:
        return found[0]
    are = ", ".join(map(shown, known)) or "no objects at all"
    message = (
        "which objects are the orders? say --map order=TYPE; the log has objects of:"
        f" {are}"
    )
    raise InvalidInput(message)


def _named(
    event: OcelEvent, types: Mapping[str, str], of_orders: str
) -> Iterator[Mapping[str, object] | None]:
    """The event for each order that it names; None if it names none."""
    named: dict[str, list[str]] = {}
    for each in dict.fromkeys(event.objects):
        if each in types:
            named.setdefault(types[each], []).append(each)
    values: dict[str, object] = {
        **event.values,
        **{kind: ids[0] if len(ids) == 1 else NOT_PLAIN for kind, ids in named.items()},
        EVENT_ID: event.id,
        ACTIVITY: event.activity,
        TIME: event.time,
    }
    orders = named.get(of_orders)
    if orders is None:
        yield None
        return
    for order in orders:
        yield values | {of_orders: order}


class _Attribute(msgspec.Struct):
    name: str
    value: object = None


class _Relation(msgspec.Struct):
    id: str = msgspec.field(name="objectId")


class _Object(msgspec.Struct):
    id: str
    type: str


class _Event(msgspec.Struct):
    id: str
    type: str
    time: str
    attributes: list[_Attribute] = []
    relationships: list[_Relation] = []


class _Document(msgspec.Struct):
    events: list[msgspec.Raw]
    objects: list[_Object]


def ocel_json(file: BinaryIO, order: str | None) -> LogTable:
    """The events of a log as JSON, which is held whole.

    Raises:
        InvalidInput: it is no OCEL 2.0.

    """
    file.seek(0)
    try:
        document = msgspec.json.decode(
            file.read().lstrip(b"\xef\xbb\xbf"), type=_Document
        )
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        message = f"no OCEL 2.0 as JSON: {error}"
        raise InvalidInput(message) from error
    decoder = msgspec.json.Decoder(_Event, float_hook=plain_number)

    def events() -> Iterator[NumberedEvent]:
        for number, raw in enumerate(document.events, 1):
            try:
                event = decoder.decode(raw)
            except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
                yield number, BadValue(code="not_event", why=str(error)[:200])
                continue
            values = _values((each.name, each.value) for each in event.attributes)
            objects = tuple(each.id for each in event.relationships)
            yield number, OcelEvent(event.id, event.type, event.time, values, objects)

    return ocel_table(events, {each.id: each.type for each in document.objects}, order)


def _values(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    """Attributes by name; one that occurs twice has no one value."""
    found: dict[str, object] = {}
    for name, value in pairs:
        found[name] = NOT_PLAIN if name in found else value
    return found


def ocel_xml(file: BinaryIO, order: str | None) -> LogTable:
    """The events of a log as XML.

    Raises:
        InvalidInput: it is not well-formed, or no OCEL 2.0.

    """
    types = {
        element.attributes["id"]: element.attributes["type"]
        for element in elements(file)
        if element.is_start
        and element.name == "object"
        and {"id", "type"} <= element.attributes.keys()
    }
    return ocel_table(lambda: _XmlEvents().events(elements(file)), types, order)


class _XmlEvents:
    """Puts events together from the elements of a file."""

    def __init__(self) -> None:
        self._number = 0
        self._own: Mapping[str, str] | None = None
        self._values: list[tuple[str, object]] = []
        self._objects: list[str] = []
        self._attribute: str | None = None

    def events(self, found: Iterable[Element]) -> Iterator[NumberedEvent]:
        for element in found:
            if element.is_start:
                self._start(element)
            elif element.name == "event" and self._own is not None:
                yield self._number, self._event(self._own)
                self._own = None
            elif element.name == "attribute" and self._attribute is not None:
                self._values.append((self._attribute, plain_number(element.text)))
                self._attribute = None

    def _start(self, element: Element) -> None:
        if element.name == "event":
            self._number += 1
            self._own = element.attributes
            self._values, self._objects = [], []
        elif self._own is None:
            return
        elif element.name == "attribute":
            self._attribute = element.attributes.get("name")
        elif element.name in {"relationship", "object"}:
            self._objects.append(element.attributes.get("object-id", ""))

    def _event(self, own: Mapping[str, str]) -> OcelEvent | BadValue:
        missing = [name for name in ("id", "type", "time") if name not in own]
        if missing:
            return BadValue(code="not_event", why=f"no {', '.join(missing)}")
        values, objects = _values(self._values), tuple(self._objects)
        return OcelEvent(own["id"], own["type"], own["time"], values, objects)
