#!/usr/bin/env bash
# iso4217 1.16.20260101 refuses a code that 1.14.20250512 knew: BGN, replaced by the euro.
#
# Guess: a currency that a payment was taken in can be looked up as long as there are
#        refunds to make; a newer table only adds.
# Seen:  the package has the list of current currencies alone. An upgrade turns
#        Currency("BGN") from 2 digits into ValueError, for payments of a month ago too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ask='
from iso4217 import Currency
try:
    print("BGN", Currency("BGN").exponent)
except ValueError:
    print("BGN ValueError")
'
for version in 1.14.20250512 1.16.20260101; do
  python3 -m venv "$folder/$version"
  "$folder/$version/bin/python" -m pip install --quiet "iso4217==$version"
  "$folder/$version/bin/python" -c "$ask" >>"$folder/seen"
done
diff "$folder/seen" <(printf 'BGN 2\nBGN ValueError\n')
echo "as found: BGN has 2 digits in 1.14.20250512 and is unknown to 1.16.20260101"
