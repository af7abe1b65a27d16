"""Where the database is: from a URL to what libpq takes, and to a name without secrets.

libpq's own complaint about a URL may quote a piece of the password, so it is not shown.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from time import monotonic
from typing import Any

import attrs
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import PGconn, Ping

from kessai.errors import InvalidInput
from kessai.limits import BUSY_SECONDS, STARTING_SECONDS
from kessai.stores.query import Query

CONNECTIONS = 10
"""How many connections a store holds at most, by default."""

# A server that has gone silently is noticed within a minute; libpq's own defaults would
# wait for hours. The URL's settings come first.
_DEFAULTS = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "40000",
    "application_name": "kessai",
    "client_encoding": "UTF8",
}


@attrs.frozen
class Server:
    """A database: `conninfo` for libpq, which may hold a password, and a `name`."""

    conninfo: str = attrs.field(repr=False)
    name: str

    def pool(self, connections: int) -> dict[str, Any]:
        """How a pool of at most `connections` is made."""
        return {
            "conninfo": self.conninfo,
            "kwargs": {"autocommit": True},
            "min_size": 1,
            "max_size": connections,
            "timeout": BUSY_SECONDS,
            "reconnect_timeout": BUSY_SECONDS,
        }

    def is_starting(self) -> bool:
        """Whether the server exists but takes no connections: it starts or stops."""
        short = make_conninfo(self.conninfo, connect_timeout=2)
        return PGconn.ping(short.encode()) == Ping.REJECT


def server_at(url: str) -> Server:
    """The database at `url`: `postgresql://[user[:password]@][host][:port][/name]`.

    Raises:
        InvalidInput: libpq cannot read it, or reads a part of a password as something
            else. The message does not quote it.

    """
    scheme, _, rest = url.partition("://")
    authority = rest.partition("/")[0].partition("?")[0]
    if rest.count("@") > 1 or rest.count("@") > authority.count("@"):
        message = (
            "postgresql://…: more than one @, or one that is not before the host; in a"
            " name, a password or an option write %40 for @, %2F for / and %3F for ?"
        )
        raise InvalidInput(message)
    # libpq would read KEY=VALUE, too; nothing else here does.
    given = _read(rest) if scheme.lower() in {"postgresql", "postgres"} else None
    if given is None:
        message = "postgresql://…: not a URL that PostgreSQL's library can read"
        raise InvalidInput(message)
    name = f"postgresql://{given.get('host', '')}"
    if port := given.get("port", "").strip(","):
        name += f":{port}"
    name += f"/{given.get('dbname', '')}"
    chosen = {key: value for key, value in _DEFAULTS.items() if key not in given}
    return Server(make_conninfo("", **{**given, **chosen}), name)


def _read(rest: str) -> dict[str, str] | None:
    try:
        given = conninfo_to_dict(f"postgresql://{rest}")
    except (psycopg.Error, UnicodeError):
        return None
    return {key: str(value) for key, value in given.items() if value is not None}


def pauses() -> Iterator[float]:
    """How long to sleep between attempts to reach a server that is starting."""
    until = monotonic() + BUSY_SECONDS
    while monotonic() < until:
        yield STARTING_SECONDS


@lru_cache(maxsize=256)
def numbered(text: str) -> tuple[bytes, Callable[[Mapping[str, Any]], Sequence[Any]]]:
    """A query's text as the server takes it, `$1` for its first value; which these are."""
    names: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        return f"${names.setdefault(found[1], len(names) + 1)}"

    written = re.sub(r"(?<![:\w]):(\w+)", number, text)
    return written.encode(), _picking(*names)


def _picking(*names: str) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: [values[name] for name in names]


def in_psycopg(query: Query) -> tuple[bytes, Sequence[Any]]:
    """A query's text and values as a cursor takes them that sends both as they are."""
    text, pick = numbered(query.text)
    return text, pick(query.values)


def has_rows(cursor: psycopg.Cursor | psycopg.AsyncCursor) -> bool:
    """Whether a statement gives rows, even none; others have nothing to fetch."""
    return cursor.pgresult is not None and cursor.pgresult.nfields > 0


def no_connection(server: Server) -> str:
    """What to say where no connection could be had in time."""
    return f"{server.name}: no connection could be had within {BUSY_SECONDS:g} s"
