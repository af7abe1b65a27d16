#!/usr/bin/env bash
# Babel 2.19.0 and iso4217 1.16.20260101 disagree on the minor digits of 15 currencies.
#
# Guess: an amount in minor units can be shown with Babel, as both tables follow ISO 4217.
# Seen:  Babel follows CLDR, which counts the digits in everyday use: 0 for AFN, COP, HUF,
#        IDR and ten others that have 2 in ISO 4217, and 0 for IQD, which has 3 there. An
#        amount scaled by the one table and shown by the other is wrong by 100 or 1000.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet babel==2.19.0 iso4217==1.16.20260101
"$folder/venv/bin/python" - >"$folder/seen" <<'PYTHON'
from babel.numbers import get_currency_precision
from iso4217 import Currency

for currency in Currency:
    iso, cldr = currency.exponent, get_currency_precision(currency.code)
    if iso is not None and iso != cldr:
        print(currency.code, iso, cldr)
PYTHON
sort "$folder/seen" | diff - <(
  cat <<'SEEN'
AFN 2 0
ALL 2 0
COP 2 0
HUF 2 0
IDR 2 0
IQD 3 0
IRR 2 0
KPW 2 0
LAK 2 0
LBP 2 0
MGA 2 0
MMK 2 0
SOS 2 0
SYP 2 0
YER 2 0
SEEN
)
echo "as found: 15 currencies, code, digits by iso4217, digits by babel"
