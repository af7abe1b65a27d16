"""The database's owner: who can put any rows there that agree with each other."""

import shutil
import sqlite3
from contextlib import closing

from audited.shop import opened
from kessai import SQLiteStore

ROWS = {
    "kessai_states": "id",
    "kessai_events": "transaction_id",
    "kessai_answers": "transaction_id",
}


def shop_in(path, *, captured=900):
    """A shop in a file: two sales, an agreement, a charge; always at the same times."""
    store = SQLiteStore(path)
    shop = opened(store)
    for name in ("A-1", "A-2"):
        shop.do("authorize", name, lifecycle="one_time", amount=1000)
        shop.resolve(name)
        shop.do("capture", name, amount=captured)
    shop.agrees()
    shop.charges()
    return shop


def restore(backup, path):
    """Put an old file in the place of the present one."""
    for beside in path.parent.glob(f"{path.name}-*"):
        beside.unlink()
    shutil.copy(backup, path)


def back_up(path, backup):
    with (
        closing(sqlite3.connect(path)) as source,
        closing(sqlite3.connect(backup)) as target,
    ):
        source.backup(target)
    return backup


def replace(path, transaction, other):
    """Put all of a transaction as it is in another file in the place of its own."""
    remove(path, transaction)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("ATTACH ? AS other", (str(other),))
        for table, column in ROWS.items():
            database.execute(
                f"INSERT INTO main.{table} SELECT * FROM other.{table}"  # noqa: S608
                f" WHERE {column} = ?",
                (transaction,),
            )


def remove(path, transaction):
    """Leave nothing that speaks of a transaction."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for table, column in ROWS.items():
            database.execute(f"DELETE FROM {table} WHERE {column} = ?", (transaction,))  # noqa: S608
