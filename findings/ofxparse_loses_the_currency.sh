#!/usr/bin/env bash
# ofxparse 0.21 reads the amount of a foreign-currency OFX line, and not its currency.
#
# Guess: a line with an aggregate CURRENCY, whose amount is in CURSYM instead of the
#        statement's CURDEF, has that currency or a converted amount.
# Seen:  1000 yen on a euro statement are an amount of 1000, on a transaction that has no
#        currency, in a statement whose currency is eur.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet ofxparse==0.21 lxml
"$folder/venv/bin/python" - >"$folder/seen" 2>/dev/null <<'PYTHON'
import io

from ofxparse import OfxParser

FILE = b"""<?xml version="1.0" encoding="UTF-8"?>
<?OFX OFXHEADER="200" VERSION="211" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>
<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS>
<DTSERVER>20261130120000</DTSERVER><LANGUAGE>ENG</LANGUAGE></SONRS></SIGNONMSGSRSV1>
<BANKMSGSRSV1><STMTTRNRS><TRNUID>1</TRNUID>
<STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS><STMTRS><CURDEF>EUR</CURDEF>
<BANKACCTFROM><BANKID>1</BANKID><ACCTID>2</ACCTID><ACCTTYPE>CHECKING</ACCTTYPE>
</BANKACCTFROM><BANKTRANLIST><DTSTART>20261101</DTSTART><DTEND>20261130</DTEND>
<STMTTRN><TRNTYPE>CREDIT</TRNTYPE><DTPOSTED>20261102</DTPOSTED><TRNAMT>1000</TRNAMT>
<FITID>1</FITID><NAME>A</NAME>
<CURRENCY><CURRATE>0.006</CURRATE><CURSYM>JPY</CURSYM></CURRENCY></STMTTRN>
</BANKTRANLIST><LEDGERBAL><BALAMT>6.00</BALAMT><DTASOF>20261130</DTASOF></LEDGERBAL>
</STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""
statement = OfxParser.parse(io.BytesIO(FILE)).account.statement
(line,) = statement.transactions
of_currency = [n for n in vars(line) if "cur" in n.lower() or "rate" in n.lower()]
print(line.amount, of_currency, statement.currency)
PYTHON
diff "$folder/seen" <(printf '1000 [] eur\n')
echo "as found: 1000 JPY are read as 1000, beside the statement's currency eur"
