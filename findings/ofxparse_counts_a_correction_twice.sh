#!/usr/bin/env bash
# ofxparse 0.21 drops the marks by which one OFX transaction corrects another.
#
# Guess: of a transaction with CORRECTFITID and CORRECTACTION, which replaces or deletes an
#        earlier one of the same account, at least those two fields can be read.
# Seen:  it is one more ordinary transaction, without any field that names the other. A
#        credit of 10.00 that the bank replaced by 12.00 counts as 22.00. ofxtools 1.1.1
#        has both fields.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet ofxparse==0.21 lxml ofxtools==1.1.1
"$folder/venv/bin/python" - >"$folder/seen" 2>/dev/null <<'PYTHON'
import io

from ofxparse import OfxParser
from ofxtools.Parser import OFXTree

FILE = b"""OFXHEADER:100
DATA:OFXSGML
VERSION:103
SECURITY:NONE
ENCODING:USASCII
CHARSET:1252
COMPRESSION:NONE
OLDFILEUID:NONE
NEWFILEUID:NONE

<OFX>
<SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS>
<DTSERVER>20261130120000<LANGUAGE>ENG</SONRS></SIGNONMSGSRSV1>
<BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS>
<STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>1<ACCTID>2<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST><DTSTART>20261101<DTEND>20261130
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20261102<TRNAMT>10.00<FITID>1<NAME>A</STMTTRN>
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20261103<TRNAMT>12.00<FITID>2
<CORRECTFITID>1<CORRECTACTION>REPLACE<NAME>A</STMTTRN>
</BANKTRANLIST><LEDGERBAL><BALAMT>12.00<DTASOF>20261130</LEDGERBAL>
</STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""
lines = OfxParser.parse(io.BytesIO(FILE)).account.statement.transactions
names = [name for line in lines for name in vars(line) if "correct" in name.lower()]
print("ofxparse", sum(line.amount for line in lines), names)
tree = OFXTree()
tree.parse(io.BytesIO(FILE))
last = tree.convert().statements[0].transactions[-1]
print("ofxtools", last.trnamt, last.correctfitid, last.correctaction)
PYTHON
diff "$folder/seen" <(printf 'ofxparse 22.00 []\nofxtools 12.00 1 REPLACE\n')
echo "as found: ofxparse counts 10.00 and 12.00, and says of neither that one replaces it"
