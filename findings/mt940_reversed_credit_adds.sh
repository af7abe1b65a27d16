#!/usr/bin/env bash
# mt-940 5.1.1 adds a reversed credit to the sum of a statement, which takes it off.
#
# Guess: the signed amounts of a parsed MT940 statement add up to its closing balance, for
#        the marks C and D as for RC and RD (reversal of a credit, reversal of a debit).
# Seen:  only D is negative. A credit of 10.00 and its reversal add 20.00, where the
#        statement's own closing balance is what it was before both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet mt-940==5.1.1
"$folder/venv/bin/python" - >"$folder/seen" <<'PYTHON'
import mt940

STATEMENT = """:20:MONTH
:25:1234567
:28C:1/1
:60F:C261101EUR100,00
:61:261102C10,00NTRFNONREF
:61:261103RC10,00NTRFNONREF
:61:261104D5,00NTRFNONREF
:61:261105RD5,00NTRFNONREF
:62F:C261130EUR100,00
"""
statement = mt940.models.Transactions()
statement.parse(STATEMENT)
for line in statement:
    print(line.data["status"], line.data["amount"].amount)
opening = statement.data["final_opening_balance"].amount.amount
closing = statement.data["final_closing_balance"].amount.amount
moved = sum(line.data["amount"].amount for line in statement)
print("moved", moved, "stated", closing - opening)
PYTHON
diff "$folder/seen" <(printf 'C 10.00\nRC 10.00\nD -5.00\nRD 5.00\nmoved 20.00 stated 0.00\n')
echo "as found: RC counts as plus, so the lines move 20.00 where the balances move 0.00"
