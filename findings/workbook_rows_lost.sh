#!/usr/bin/env bash
# openpyxl 3.1.5 in read-only mode loses the rows beyond the size that a sheet states.
#
# Guess: load_workbook(..., read_only=True) gives the same rows as without it, one by one.
# Seen:  a sheet begins with <dimension ref="A1:B3"/>, which its writer may get wrong or
#        leave as it was. Five rows are five rows in normal mode, and three in read-only
#        mode, without a warning. After reset_dimensions() there are five again.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet openpyxl==3.1.5 et-xmlfile==2.0.0
"$folder/venv/bin/python" - "$folder" >"$folder/seen" <<'PYTHON'
import sys
import zipfile
from pathlib import Path

import openpyxl

whole, short = (Path(sys.argv[1], name) for name in ("whole.xlsx", "short.xlsx"))
workbook = openpyxl.Workbook()
for number in range(5):
    workbook.active.append([f"A-{number}", number])
workbook.save(whole)
with zipfile.ZipFile(whole) as old, zipfile.ZipFile(short, "w") as new:
    for name in old.namelist():
        new.writestr(name, old.read(name).replace(b'ref="A1:B5"', b'ref="A1:B3"'))
for read_only in (False, True):
    sheet = openpyxl.load_workbook(short, read_only=read_only).active
    print("read-only" if read_only else "normal", len(list(sheet.iter_rows())))
sheet.reset_dimensions()
print("after reset_dimensions", len(list(sheet.iter_rows())))
PYTHON
diff "$folder/seen" <(printf 'normal 5\nread-only 3\nafter reset_dimensions 5\n')
echo "as found: of five rows, read-only mode gives the three that the sheet states"
