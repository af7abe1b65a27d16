"""Which schema the tables stand in: the first that the search path names, or none.

PostgreSQL passes over a schema that is not there, or that the user may not use, and
finds names in the next one. So with `shp,public` a misspelt `shop` would lead to whatever
stands in `public`: another merchant's payments. Here the first name counts. Only
`"$user"` is passed over where there is no such schema, as in the default path.

Every session is then confined to that schema. Should it be renamed or dropped, nothing is
found any more, instead of something else; and temporary tables come after it.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote

import attrs

from kessai.errors import InvalidInput, StoreUnsuitable
from kessai.ids import is_id
from kessai.stores.query import Query, Steps

VERSIONS = "kessai_schema"
TABLES = frozenset(
    {
        VERSIONS,
        "kessai_states",
        "kessai_events",
        "kessai_answers",
        "kessai_lifecycles",
        "kessai_gateway_ids",
        "kessai_subscribers",
        "kessai_bills",
        "kessai_chunks",
    }
)

_ASKED = "SELECT current_setting('search_path'), current_user::text"

# The catalog as a table, not `to_regclass`: a session remembers what it did not find,
# even if another session has made it while this one waited for the advisory lock.
_FOUND = """
SELECT nspname::text, has_schema_privilege(spaces.oid, 'USAGE'), relname::text,
  relkind::text, relpersistence::text
FROM pg_catalog.pg_namespace AS spaces
LEFT JOIN pg_catalog.pg_class ON relnamespace = spaces.oid AND relname = ANY (:tables)
WHERE nspname = ANY (:names) OR relname = :versions
"""

_KINDS = {
    "v": "a view",
    "m": "a materialized view",
    "f": "a foreign table",
    "p": "a partitioned table",
    "S": "a sequence",
    "i": "an index",
    "c": "a type",
}

_SHOWN = 3
_LONGEST = 63

VIEWS = frozenset({"kessai_transactions", "kessai_movements"})
"""What people read with a SQL client; no session of ours does."""

_OURS = re.compile(rf"\b({'|'.join(sorted(TABLES | VIEWS))})\b")

_NAME = re.compile(r'"((?:[^"]|"")*)"|([^\s,"]+)')


@attrs.define
class Space:
    """A schema that is there, and what it has under the names of our tables."""

    may_be_used: bool
    relations: dict[str, tuple[str, str]] = attrs.field(factory=dict)


def names_of(search_path: str, user: str) -> list[tuple[str, bool]]:
    """The schemas that a search path names, in order, and which of them must exist."""
    found: list[tuple[str, bool]] = []
    for in_quotes, plain in _NAME.findall(search_path):
        folded = "".join(c.lower() if c.isascii() else c for c in plain)
        name = in_quotes.replace('""', '"') or folded
        own = name == "$user"
        found.append((user if own else name, not own))
    return [each for each in found if each[0] not in {"", "pg_catalog"}]


def find() -> Steps[str]:
    """The schema that the store is in, or is to be made in.

    Raises:
        StoreUnsuitable: it is not there, or may not be used; or it has no store, and
            another schema of the search path has one.

    """
    ((path, user),) = yield Query(_ASKED)
    asked = names_of(path, user)
    spaces = yield from _spaces(name for name, _ in asked)
    named = [name for name, must_exist in asked if must_exist or name in spaces]
    if not named:
        message = f"the search path ({path}) has no schema, so there is no place to use"
        raise StoreUnsuitable(message)
    first, *others = named
    space = spaces.get(first)
    stores = [name for name, each in spaces.items() if _has_store(each)]
    stores.sort(key=lambda name: (name not in others, name))
    if space is None:
        raise _elsewhere(first, "there is no such schema: create it", stores)
    if not space.may_be_used:
        raise _elsewhere(first, "this user may not use it: GRANT USAGE", stores)
    behind = [name for name in others if name in stores]
    if behind and not space.relations:
        what = f"it has no store: for a new one let the path name {quoted(first)} alone"
        raise _elsewhere(first, what, behind)
    return first


def relations(schema: str) -> Steps[frozenset[str]]:
    """The tables of ours that stand in `schema`.

    Raises:
        StoreUnsuitable: they are another program's, or no tables that keep what is
            committed.

    """
    spaces = yield from _spaces([schema])
    found = spaces[schema].relations if schema in spaces else {}
    if found and VERSIONS not in found:
        message = (
            f"the schema {quoted(schema)} has tables of another program by the same"
            f" names: {', '.join(sorted(found))}; choose another database, or a schema:"
            " ?options=-csearch_path%3DNAME"
        )
        raise StoreUnsuitable(message)
    wrong = [
        f"{name} is {_KINDS.get(kind, 'no table')}"
        if kind != "r"
        else f"{name} is unlogged, so a crash empties it"
        for name, (kind, persistence) in sorted(found.items())
        if (kind, persistence) != ("r", "p")
    ]
    if wrong:
        message = f"the schema {quoted(schema)} has no store: {'; '.join(wrong)}"
        raise StoreUnsuitable(message)
    return frozenset(found)


def check_new(name: str) -> None:
    """See that a store can be opened in a schema that is called `name`.

    Raises:
        InvalidInput: it cannot; the message says what is right.

    """
    wrong = None
    if not name:
        wrong = "it has no name"
    elif len(name.encode(errors="surrogatepass")) > _LONGEST:
        wrong = f"PostgreSQL cuts it off; at most {_LONGEST} bytes are right"
    elif name == "$user":
        wrong = "in a search path '$user' stands for the user's own"
    elif name.startswith("pg_"):
        wrong = "names that begin with pg_ are PostgreSQL's own"
    elif not is_id(name):
        wrong = "a name has no control characters and no half of a surrogate pair"
    if wrong:
        message = f"schema {name!r}: {wrong}"
        raise InvalidInput(message)


def quoted(name: str) -> str:
    """`name` as SQL takes it: in double quotes where it needs them."""
    if re.fullmatch("[a-z_][a-z0-9_]*", name):
        return name
    return '"' + name.replace('"', '""') + '"'


@lru_cache(maxsize=256)
def qualified(statement: str, schema: str) -> str:
    """`statement` with our tables and views in `schema`, whatever the search path is."""
    named = quoted(schema)
    return _OURS.sub(lambda found: f"{named}.{found[0]}", statement)


def confined_to(schema: str) -> str:
    """The search path of a session that finds our tables there, and nowhere else."""
    return f"{quoted(schema)}, pg_temp"


def _spaces(names: Iterable[str]) -> Steps[dict[str, Space]]:
    """The schemas of these `names`, and all that have a store."""
    values = {"tables": list(TABLES), "names": list(names), "versions": VERSIONS}
    spaces: dict[str, Space] = {}
    for name, may_be_used, relation, kind, persistence in (yield Query(_FOUND, values)):
        space = spaces.setdefault(name, Space(may_be_used))
        if relation is not None:
            space.relations[relation] = kind, persistence
    return spaces


def _has_store(space: Space) -> bool:
    return space.may_be_used and VERSIONS in space.relations


def _elsewhere(asked: str, what: str, places: list[str]) -> StoreUnsuitable:
    message = f"the search path asks for the schema {quoted(asked)}, but {what}"
    if places:
        message += (
            f"; or name the right schema: the tables of kessai stand in"
            f" {', '.join(map(quoted, places[:_SHOWN]))}"
            f"{', …' if places[_SHOWN:] else ''} ({_option(places[0])})"
        )
    return StoreUnsuitable(message)


def _option(schema: str) -> str:
    """What a URL has to say so that `schema` is used."""
    escaped = re.sub(r"([\\\s])", r"\\\1", quoted(schema))
    return f"?options=-csearch_path%3D{quote(escaped)}"
