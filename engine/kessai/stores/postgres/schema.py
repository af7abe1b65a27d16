"""The tables in PostgreSQL and their versions, and what the server must promise.

Each migration is done whole or not at all, by one process while others wait. The tables
may have a schema of their own: `?options=-csearch_path%3DNAME` (see `place`).
"""

from collections.abc import Iterator

from kessai.errors import StoreMissing, StoreUnsuitable
from kessai.limits import BUSY_SECONDS, STATEMENT_SECONDS
from kessai.machine import DENIAL
from kessai.stores.postgres import feeding, place
from kessai.stores.query import Query, Row, Steps

LOCK = int.from_bytes(b"kessai")
"""The advisory lock that is held while the tables are made or changed."""

# One statement, so one round trip a connection. What a session has set itself, a later
# change of the server's configuration does not take away.
_SETTINGS = f"""
SELECT current_setting('server_encoding'),
  current_setting('fsync', true),
  set_config('synchronous_commit', current_setting('synchronous_commit'), false),
  set_config('lock_timeout', '{BUSY_SECONDS:g}s', false),
  set_config('statement_timeout', '{STATEMENT_SECONDS:g}s', false),
  set_config('search_path', :path, false)
"""

_WRITES = "SELECT pg_is_in_recovery(), current_setting('transaction_read_only')"

_READING = (
    "SELECT set_config('statement_timeout', '0', false),"
    " set_config('idle_in_transaction_session_timeout', '0', false),"
    " set_config('search_path', :path, false)"
)

_VERSION_TABLE = """
CREATE TABLE IF NOT EXISTS kessai_schema (
  version bigint PRIMARY KEY,
  made_at timestamptz NOT NULL DEFAULT now()
)
"""

# As SQLite's, see there. The server keeps no text of a view, but what it makes of it, and
# each version writes that down in its own way. So the mark says what the one that made
# the view made of it: whoever changes the view later leaves it as it was, or has none.
VIEWS = (
    """
CREATE VIEW kessai_transactions AS
SELECT id AS transaction_id, account, lifecycle, content ->> 'agreement' AS agreement,
  status, content ->> 'currency' AS currency,
  (content #>> '{amounts,authorized}')::bigint AS authorized,
  (content #>> '{amounts,captured}')::bigint AS captured,
  (content #>> '{amounts,refunded}')::bigint AS refunded,
  content -> 'amounts' AS amounts,
  opened_at, changed_at, open_since, discrepancies
FROM kessai_states, LATERAL (SELECT convert_from(state, 'UTF8')::json AS content) AS read
WHERE lifecycle <> ''""",
    """
CREATE VIEW kessai_movements AS
SELECT (content #>> '{data,at}')::timestamptz AS at,
  ended.transaction_id, ended.number AS event, account, lifecycle,
  COALESCE(content #>> '{data,command}',
    convert_from(began.body, 'UTF8')::json #>> '{data,operation,command}') AS command,
  content #>> '{data,deadline}' AS deadline,
  each.key AS amount_name, each.value::bigint AS change,
  convert_from(state, 'UTF8')::json ->> 'currency' AS currency
FROM kessai_events AS ended
JOIN kessai_states AS held ON held.id = ended.transaction_id
JOIN LATERAL (SELECT convert_from(ended.body, 'UTF8')::json AS content) AS read ON true
JOIN LATERAL json_each_text(ended.moved::json) AS each ON true
LEFT JOIN kessai_events AS began ON began.transaction_id = ended.transaction_id
  AND began.number = substr(CASE WHEN json_typeof(content #> '{data,operation}') = 'string'
    THEN content #>> '{data,operation}' END, length(ended.transaction_id) + 2)::bigint
WHERE ended.moved IS NOT NULL""",
    """
DO $$ DECLARE
  view regclass;
  path text := current_setting('search_path');
BEGIN
  FOREACH view IN ARRAY ARRAY[$of$kessai_transactions$of$, $of$kessai_movements$of$]::regclass[]
  LOOP
    -- as our sessions have it: the definition names tables as they are found
    PERFORM set_config('search_path', quote_ident(nspname) || ', pg_temp', true)
      FROM pg_namespace JOIN pg_class ON relnamespace = pg_namespace.oid
      WHERE pg_class.oid = view;
    EXECUTE format('COMMENT ON VIEW %s IS %L', view, current_setting('server_version_num')
      ::int / 10000 || ' ' || md5(pg_get_viewdef(view)));
  END LOOP;
  PERFORM set_config('search_path', path, true);
END $$""",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
CREATE TABLE kessai_states (
  id text COLLATE "C" PRIMARY KEY,
  account text COLLATE "C" NOT NULL,
  lifecycle text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  open_since timestamptz,
  discrepancies bigint NOT NULL,
  opened_at timestamptz,
  changed_at timestamptz,
  due_at timestamptz,
  attempts bigint NOT NULL DEFAULT 0,
  lease bigint NOT NULL DEFAULT 0,
  leased_until timestamptz,
  failure text,
  position bigint NOT NULL,
  state bytea NOT NULL
)""",
        """
CREATE INDEX kessai_states_due ON kessai_states (account, due_at, id)
  WHERE due_at IS NOT NULL""",
        """
CREATE INDEX kessai_states_changed
  ON kessai_states (account, lifecycle, status, changed_at, id)
  WHERE lifecycle <> ''""",
        """
CREATE INDEX kessai_states_opened ON kessai_states (opened_at, id)
  WHERE opened_at IS NOT NULL""",
        """
CREATE INDEX kessai_states_discrepant ON kessai_states (id) WHERE discrepancies > 0""",
        """
CREATE TABLE kessai_events (
  transaction_id text COLLATE "C" NOT NULL,
  number bigint NOT NULL,
  body bytea NOT NULL,
  hash text NOT NULL,
  moved text,
  position bigint NOT NULL,
  PRIMARY KEY (transaction_id, number)
)""",
        """
CREATE INDEX kessai_events_by_position ON kessai_events (position)""",
        f"""
CREATE INDEX kessai_events_but_denials ON kessai_events (transaction_id, number)
WHERE position('\\x{DENIAL.hex()}'::bytea IN body) = 0""",
        """
CREATE TABLE kessai_answers (
  key text COLLATE "C" CONSTRAINT kessai_answers_pkey PRIMARY KEY,
  transaction_id text COLLATE "C" NOT NULL,
  outcome text NOT NULL,
  recorded bytea NOT NULL
)""",
        """
CREATE TABLE kessai_lifecycles (
  hash text PRIMARY KEY,
  name text NOT NULL,
  document bytea NOT NULL
)""",
        """
CREATE TABLE kessai_gateway_ids (
  account text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  gateway_id text COLLATE "C" NOT NULL,
  transaction_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (account, kind, gateway_id, transaction_id)
)""",
        """
CREATE TABLE kessai_subscribers (
  name text COLLATE "C" PRIMARY KEY,
  version bigint NOT NULL,
  position text NOT NULL,
  undelivered bytea NOT NULL
)""",
        *VIEWS,
    ),
    (
        """
CREATE TABLE kessai_bills (
  agreement text COLLATE "C" NOT NULL,
  period text COLLATE "C" NOT NULL,
  charge text COLLATE "C" NOT NULL UNIQUE,
  run text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL,
  currency text,
  amount bigint,
  due_at timestamptz,
  version bigint NOT NULL,
  chunk bigint,
  bill text NOT NULL,
  PRIMARY KEY (agreement, period)
)""",
        """
CREATE INDEX kessai_bills_due ON kessai_bills (run, due_at, agreement, period)
  WHERE due_at IS NOT NULL AND chunk IS NULL""",
        """
CREATE INDEX kessai_bills_of_run ON kessai_bills (run, agreement, period)""",
        """
CREATE INDEX kessai_bills_of_chunk ON kessai_bills (chunk) WHERE chunk IS NOT NULL""",
        """
CREATE TABLE kessai_chunks (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run text COLLATE "C" NOT NULL,
  lease bigint NOT NULL DEFAULT 0,
  owner text,
  leased_until timestamptz,
  is_done bigint NOT NULL DEFAULT 0
)""",
        """
CREATE INDEX kessai_chunks_open ON kessai_chunks (run, id) WHERE is_done = 0""",
    ),
)
"""What makes each version out of the one before."""


def statements(space: str) -> Iterator[str]:
    """What makes our tables of the newest version in the schema `space`, and it.

    Raises:
        InvalidInput: no store could be opened in a schema of that name.

    """
    place.check_new(space)
    made = [_VERSION_TABLE, *(each for step in MIGRATIONS for each in step)]
    yield f"CREATE SCHEMA IF NOT EXISTS {place.quoted(space)}"
    for statement in made:
        yield place.qualified(statement.strip(), space)
    for number in range(1, len(MIGRATIONS) + 1):
        version = f"INSERT INTO {place.VERSIONS} (version) VALUES ({number})"  # noqa: S608 - ours
        yield place.qualified(version, space)


def apply_settings(space: str) -> Steps[None]:
    """Make a session's settings, and see that its commits are durable.

    It finds our tables in the schema `space` and nowhere else.

    Raises:
        StoreUnsuitable: the server does not give what is promised.

    """
    ((encoding, fsync, commit, *_),) = yield Query(_SETTINGS, _confined(space))
    wrong = []
    if encoding != "UTF8":
        wrong.append(f"its encoding is {encoding}, UTF8 is needed")
    if fsync not in {"on", None}:  # other servers may have no such setting
        wrong.append(f"fsync is {fsync}, on is needed")
    if commit not in {"on", "remote_apply"}:
        wrong.append(f"synchronous_commit is {commit}, on is needed")
    if wrong:
        raise StoreUnsuitable("the database is not suitable: " + "; ".join(wrong))


def allow_long_reads(space: str) -> Steps[None]:
    """Let a session read in the schema `space` for as long as its reader likes."""
    yield Query(_READING, _confined(space))


def _confined(space: str) -> dict[str, str]:
    return {"path": place.confined_to(space)}


def prepare(*, must_exist: bool, to_read: bool) -> Steps[str]:
    """The schema of our tables: see that they are of this version, and make them so.

    With `must_exist` none are made where there are none; `to_read` takes a server that
    writes nothing, too.

    Raises:
        StoreMissing: there is no store, and it must be there.
        StoreUnsuitable: the tables are of a newer kessai, of another program, or in
            another schema than the one asked for; or the server only reads.

    """
    space = yield from place.find()
    yield from apply_settings(space)
    if not to_read:
        yield from _see_that_it_writes()
    found = yield from _version(space)
    if found == len(MIGRATIONS) and (to_read or (yield from feeding.beyond()) is None):
        return space
    if not found and (must_exist or to_read):
        message = f"there is no store in this database (schema {place.quoted(space)})"
        raise StoreMissing(message)
    # Each statement must see what was committed while it waited for the lock.
    yield Query("BEGIN ISOLATION LEVEL READ COMMITTED")
    yield Query("SET LOCAL statement_timeout = 0")
    yield Query("SELECT pg_advisory_xact_lock(:lock)", {"lock": LOCK})
    yield from _migrate((yield from _version(space)))  # another may have been faster
    yield from feeding.rebase()
    yield Query("COMMIT", writes=True)
    return space


def _see_that_it_writes() -> Steps[None]:
    """A standby may lag behind: nothing is decided by what it knows."""
    ((is_standby, only_reads),) = yield Query(_WRITES)
    if is_standby:
        message = (
            "the server is a standby, which can only be read: name the primary, or all"
            " servers with target_session_attrs=read-write"
        )
        raise StoreUnsuitable(message)
    if only_reads == "on":
        message = (
            "the server writes nothing here: default_transaction_read_only is on, off"
            " is needed"
        )
        raise StoreUnsuitable(message)


def _migrate(found: int) -> Steps[None]:
    yield Query(_VERSION_TABLE)
    for number, statements in enumerate(MIGRATIONS[found:], found + 1):
        for statement in statements:
            yield Query(statement)
        yield Query(
            "INSERT INTO kessai_schema (version) VALUES (:version)",
            {"version": number},
        )


def _version(space: str) -> Steps[int]:
    """The version of the tables that are there, 0 when there are none."""
    found = yield from place.relations(space)
    if not found:
        return 0
    rows: list[Row] = yield Query("SELECT max(version) FROM kessai_schema")
    version = int(rows[0][0] or 0)
    if version > len(MIGRATIONS):
        message = (
            f"the tables have schema version {version};"
            f" this kessai knows {len(MIGRATIONS)}"
        )
        raise StoreUnsuitable(message)
    missing = place.TABLES - found
    if version == len(MIGRATIONS) and missing:
        message = (
            f"the store in the schema {place.quoted(space)} is not whole:"
            f" {', '.join(sorted(missing))} is missing"
        )
        raise StoreUnsuitable(message)
    return version
