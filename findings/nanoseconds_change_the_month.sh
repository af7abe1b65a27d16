#!/usr/bin/env bash
# msgspec 0.23.0 rounds a time with nanoseconds up; Python's fromisoformat cuts it off.
#
# Guess: both read an RFC 3339 time with more than six digits to the same datetime.
# Seen:  the last 50 nanoseconds of November are December by the one and November by the
#        other, so a payment falls into two months of one report.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet msgspec==0.23.0 python-dateutil==2.9.0.post0
"$folder/venv/bin/python" - >"$folder/seen" <<'PYTHON'
import json
from datetime import datetime

import msgspec
from dateutil.parser import isoparse

text = "2026-11-30T23:59:59.999999950Z"
print("msgspec", msgspec.json.decode(json.dumps(text), type=datetime))
print("fromisoformat", datetime.fromisoformat(text))
print("dateutil", isoparse(text))
PYTHON
diff "$folder/seen" <(
  cat <<'SEEN'
msgspec 2026-12-01 00:00:00+00:00
fromisoformat 2026-11-30 23:59:59.999999+00:00
dateutil 2026-11-30 23:59:59.999999+00:00
SEEN
)
echo "as found: msgspec says December, fromisoformat and dateutil say November"
