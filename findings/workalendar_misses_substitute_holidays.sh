#!/usr/bin/env bash
# workalendar 17.0.0 knows Japan's substitute holidays up to 2022, and few after that.
#
# Guess: a bank day in Japan can be computed for the years to come, as the substitute for a
#        holiday on a Sunday and the day between two holidays follow from the law.
# Seen:  of 2019 to 2022 all agree with jpholiday 1.0.3; of 2023 to 2032 it calls 22
#        holidays working days, for instance 2026-05-06 and 2026-09-22.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet workalendar==17.0.0 jpholiday==1.0.3
"$folder/venv/bin/python" - >"$folder/seen" <<'PYTHON'
import jpholiday
from workalendar.asia import Japan

japan = Japan()
missed = {}
for year in range(2019, 2033):
    right = {day for day, _ in jpholiday.year_holidays(year) if day.weekday() < 5}
    missed[year] = sorted(day for day in right if japan.is_working_day(day))
print(sum(len(missed[year]) for year in range(2019, 2023)), "to 2022")
print(sum(len(missed[year]) for year in range(2023, 2033)), "since 2023")
print(*missed[2026])
PYTHON
diff "$folder/seen" <(printf '0 to 2022\n22 since 2023\n2026-05-06 2026-09-22\n')
echo "as found: 22 substitute holidays of 2023 to 2032 are working days"
