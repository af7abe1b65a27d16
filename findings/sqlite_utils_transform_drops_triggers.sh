#!/usr/bin/env bash
# sqlite-utils 4.2.1 drops a table's triggers and generated columns when it transforms it.
#
# Guess: `table.transform(rename=…)` keeps everything else of a table, as it does with a
#        CHECK, or refuses, as it does with a partial index.
# Seen:  a trigger that forbids deleting rows is gone afterwards, and so is a column that is
#        generated from another. Neither is an error: the rows can be deleted from then on.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet sqlite-utils==4.2.1
"$folder/venv/bin/python" - >"$folder/seen" <<'PYTHON'
from sqlite_utils import Database

db = Database(memory=True)
db.execute(
    "create table refunds (id integer primary key, amount integer check (amount > 0),"
    " doubled integer generated always as (amount * 2) stored, note text)"
)
db.execute(
    "create trigger kept before delete on refunds begin"
    " select raise(abort, 'refunds are kept'); end"
)
db.execute("insert into refunds (amount) values (500)")
for names in ({}, {"note": "memo"}):
    if names:
        db["refunds"].transform(rename=names)
    schema = db["refunds"].schema.lower()
    triggers = [trigger.name for trigger in db["refunds"].triggers]
    print(triggers, "doubled" in schema, "check" in schema)
db.execute("delete from refunds")
print(db["refunds"].count, "rows")
PYTHON
diff "$folder/seen" <(printf "['kept'] True True\n[] False True\n0 rows\n")
echo "as found: the trigger and the generated column are gone, the check is kept"
