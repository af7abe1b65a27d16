"""OCEL 2.0 as an SQLite database, read as one that nobody vouches for.

It is opened to be read alone. Only tables are read: a view, or a function that a schema
calls, is somebody's program.
"""

import heapq
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from kessai.audit.log_check.formats.ocel import NumberedEvent, OcelEvent, ocel_table
from kessai.audit.log_check.formats.table import LogTable, cell_of
from kessai.errors import InvalidInput

MAGIC = b"SQLite format 3\x00"
_TABLES = ("event", "object", "event_object", "event_map_type")
_ID, _TIME = "ocel_id", "ocel_time"


def ocel_sqlite(path: str, order: str | None) -> LogTable:
    """The events of the database at `path`.

    Raises:
        InvalidInput: it is no OCEL 2.0.

    """
    _check_whole(path)
    with _database(path) as db:
        found = db.execute("SELECT ocel_id, ocel_type FROM object")
        types = {cell_of(name): cell_of(kind) for name, kind in found}
    return ocel_table(lambda: _events(path), types, order)


def _check_whole(path: str) -> None:
    """Refuse a database of which a part stands in another file, as while it is written."""
    beside = Path(f"{path}-wal")
    if beside.is_file() and beside.stat().st_size:
        message = f"{beside}: the database is in use; close the program that writes it"
        raise InvalidInput(message)


@contextmanager
def _database(path: str) -> Iterator[sqlite3.Connection]:
    address = f"{Path(path).absolute().as_uri()}?mode=ro&immutable=1"
    db = sqlite3.connect(address, uri=True)
    try:
        db.execute("PRAGMA trusted_schema = OFF")
        db.execute("PRAGMA cell_size_check = ON")
        _check(db)
        yield db
    except sqlite3.Error as error:
        message = f"no OCEL 2.0 as SQLite: {error}"
        raise InvalidInput(message) from error
    finally:
        db.close()


def _check(db: sqlite3.Connection) -> None:
    tables = _tables(db)
    missing = [name for name in _TABLES if name not in tables]
    if missing:
        message = f"no OCEL 2.0 as SQLite: there is no table {', '.join(missing)}"
        raise InvalidInput(message)


def _tables(db: sqlite3.Connection) -> set[str]:
    """The plain tables: no view, and nothing that a module makes up."""
    query = (
        "SELECT name FROM sqlite_schema WHERE type = 'table'"
        " AND sql NOT LIKE 'CREATE VIRTUAL%'"
    )
    return {name for (name,) in db.execute(query)}


def _events(path: str) -> Iterator[NumberedEvent]:
    """Every event in the order of the table of events."""
    with _database(path) as db:
        named = groupby(_objects(db), key=itemgetter(0))
        number, objects = next(named, (0, iter(())))
        for at, event, values in heapq.merge(*_by_type(db), key=itemgetter(0)):
            while number and number < at:
                number, objects = next(named, (0, iter(())))
            ids = tuple(cell_of(each) for _, each in objects) if number == at else ()
            time = cell_of(values.pop(_TIME, None))
            yield at, OcelEvent(*event, time, values, ids)


def _objects(db: sqlite3.Connection) -> Iterator[tuple[int, object]]:
    return db.execute(
        "SELECT e.rowid, eo.ocel_object_id FROM event_object AS eo"
        " JOIN event AS e ON e.ocel_id = eo.ocel_event_id ORDER BY e.rowid"
    )


_Found = tuple[int, tuple[str, str], dict[str, object]]


def _by_type(db: sqlite3.Connection) -> Iterator[Iterator[_Found]]:
    """The events of each type in turn; each type has a table of its own."""
    tables = _tables(db)
    kinds = list(db.execute("SELECT ocel_type, ocel_type_map FROM event_map_type"))
    for kind, short in kinds:
        table = f"event_{short}"
        if table not in tables:
            message = f"no OCEL 2.0 as SQLite: there is no table {table}"
            raise InvalidInput(message)
        yield _of_type(db, kind, table)


def _of_type(db: sqlite3.Connection, kind: object, table: str) -> Iterator[_Found]:
    name = table.replace('"', '""')
    found = db.execute(
        f'SELECT e.rowid AS "rowid of event", t.* FROM "{name}" AS t'  # noqa: S608
        " JOIN event AS e ON e.ocel_id = t.ocel_id WHERE e.ocel_type = ?"
        " ORDER BY e.rowid",
        (kind,),
    )
    names = [column[0] for column in found.description][1:]
    for number, *cells in found:
        values = dict(zip(names, cells, strict=True))
        yield number, (cell_of(values.pop(_ID, None)), cell_of(kind)), values
