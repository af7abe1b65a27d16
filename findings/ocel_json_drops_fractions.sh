#!/usr/bin/env bash
# pm4py 2.7.23.11 drops the fractions of seconds when it writes OCEL 2.0 as JSON.
#
# Guess: the three forms of OCEL 2.0 hold the same log; which one is written is a matter
#        of taste.
# Seen:  as XML and SQLite an event keeps its microseconds, as JSON it has whole seconds.
#        Events of the same second then have the same time, and only their place in the
#        file says which came first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet pm4py==2.7.23.11
"$folder/venv/bin/python" - "$folder" >"$folder/seen" 2>"$folder/log" <<'PYTHON' ||
import contextlib
import io
import json
import re
import sqlite3
import sys
from pathlib import Path

with contextlib.redirect_stdout(io.StringIO()):
    import pandas
    import pm4py

    order, at = "order", "time:timestamp"
    times = ["2026-01-05T09:05:00.250000Z", "2026-01-05T09:05:00.750000Z"]
    table = pandas.DataFrame(
        {
            order: ["A-1", "A-1"],
            "concept:name": ["authorize", "authorize"],
            at: pandas.to_datetime(times),
        }
    )
    log = pm4py.convert_log_to_ocel(table, "concept:name", at, [order])
    names = ("log.json", "log.xml", "log.sqlite")
    as_json, as_xml, as_sqlite = (str(Path(sys.argv[1], name)) for name in names)
    pm4py.write_ocel2_json(log, as_json)
    pm4py.write_ocel2_xml(log, as_xml)
    pm4py.write_ocel2_sqlite(log, as_sqlite)

events = json.loads(Path(as_json).read_text())["events"]
print("JSON", *sorted(event["time"] for event in events))
found = re.findall(r'<event [^>]*time="([^"]*)"', Path(as_xml).read_text())
print("XML", *sorted(found))
rows = sqlite3.connect(as_sqlite).execute("SELECT ocel_time FROM event_Authorize")
print("SQLite", *sorted(time.replace(" ", "T") for (time,) in rows))
PYTHON
  { cat "$folder/log" && exit 1; }
diff "$folder/seen" - <<'SEEN'
JSON 2026-01-05T09:05:00Z 2026-01-05T09:05:00Z
XML 2026-01-05T09:05:00.250000+00:00 2026-01-05T09:05:00.750000+00:00
SQLite 2026-01-05T09:05:00.250000+00:00 2026-01-05T09:05:00.750000+00:00
SEEN
echo "as found: two events half a second apart have one time in JSON alone"
