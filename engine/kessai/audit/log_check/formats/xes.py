"""XES (IEEE 1849): the event logs of process mining, `.xes` and `.xes.gz`.

    <trace><string key="concept:name" value="A-1"/>          the order
      <event><string key="concept:name" value="capture"/>    the command
        <date key="time:timestamp" value="2026-01-05T09:05:00+09:00"/> …

An event is a row. Its attributes are its columns, those of its trace are called
`case:…`, as pm4py calls them. Attributes of attributes, and lists, are not read.
"""

from collections.abc import Iterator
from typing import BinaryIO

from kessai.audit.log_check.formats.table import (
    NOT_PLAIN,
    LogTable,
    NamedRow,
    named_table,
    plain_number,
)
from kessai.audit.log_check.formats.xml import Element, elements

_OF_TRACE = "case:"
_PLAIN = {"string", "date", "int", "float", "boolean", "id"}
_LISTS = {"list", "container"}


def xes_table(file: BinaryIO) -> LogTable:
    """The events of an XES log.

    Raises:
        InvalidInput: it is not well-formed, or has no events.

    """
    return named_table("xes", "event", lambda: _Traces().rows(elements(file)))


class _Traces:
    """The events of a log, trace by trace: a trace's own attributes may come last."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._number = 0
        self._trace: dict[str, str] = {}
        self._event: dict[str, str] = {}
        self._events: list[tuple[int, dict[str, str]]] = []

    def rows(self, found: Iterator[Element]) -> Iterator[NamedRow]:
        """Every event with the attributes of its trace."""
        for element in found:
            if element.is_start:
                self._start(element)
                self._path.append(element.name)
                continue
            self._path.pop()
            if element.name == "event":
                self._events.append((self._number, self._event))
            if element.name == "trace" or self._path == ["log"]:
                yield from self._taken()

    def _start(self, element: Element) -> None:
        parent = self._path[-1] if self._path else ""
        if element.name == "event":
            self._number += 1
            self._event = {}
        elif parent == "event":
            _put(self._event, element, "")
        elif parent == "trace":
            _put(self._trace, element, _OF_TRACE)

    def _taken(self) -> Iterator[NamedRow]:
        events, trace = self._events, self._trace
        self._events, self._trace = [], {}
        for number, event in events:
            yield number, trace | event


def _put(into: dict[str, str], element: Element, before: str) -> None:
    """Take an attribute; one that occurs twice has no one value."""
    key, value = element.attributes.get("key"), element.attributes.get("value", "")
    if key is None or element.name not in _PLAIN | _LISTS:
        return
    name = before + key
    if element.name in _LISTS or name in into:
        value = NOT_PLAIN
    elif element.name == "float":
        value = plain_number(value)
    into[name] = value
