#!/usr/bin/env bash
# localstripe 1.15.10 refunds more than was captured.
#
# Guess: of a payment of 1000 of which 400 were captured, a refund without an amount gives
#        back 400, and nothing can be refunded after that.
# Seen:  it gives back 1000, the amount that was authorized, and one more of 1 succeeds.
set -euo pipefail
folder=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet localstripe==1.15.10
port=$("$folder/venv/bin/python" -c '
import socket
with socket.create_server(("127.0.0.1", 0)) as found:
    print(found.getsockname()[1])')
(cd "$folder" && exec venv/bin/python -m localstripe --port "$port" --from-scratch) \
  >"$folder/log" 2>&1 &
server=$!
"$folder/venv/bin/python" - "$port" >"$folder/seen" <<'PYTHON'
import json
import sys
import time
import urllib.error
from urllib.parse import urlencode
from urllib.request import Request, urlopen


def post(path, **fields):
    url = f"http://127.0.0.1:{sys.argv[1]}/v1/{path}"
    headers = {"Authorization": "Bearer sk_test_12345"}
    request = Request(url, urlencode(fields).encode(), headers)
    for _ in range(100):
        try:
            return json.load(urlopen(request))
        except urllib.error.HTTPError as error:
            return json.load(error)
        except OSError:  # it is not up yet
            time.sleep(0.1)
    raise SystemExit("localstripe did not start")


CARD = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2040, "cvc": 123}
card = {f"card[{name}]": value for name, value in CARD.items()}
method = post("payment_methods", type="card", **card)["id"]
intent = post(
    "payment_intents",
    amount=1000,
    currency="jpy",
    payment_method=method,
    confirm="true",
    capture_method="manual",
)
path = f"payment_intents/{intent['id']}/capture"
print("capture of 400:", post(path, amount_to_capture=400)["status"])
for fields in ({}, {"amount": 1}):
    refund = post("refunds", payment_intent=intent["id"], **fields)
    print("refund:", refund["amount"], refund["status"])
PYTHON
diff "$folder/seen" <(
  printf 'capture of 400: succeeded\nrefund: 1000 succeeded\nrefund: 1 succeeded\n'
)
echo "as found: 1001 are refunded of 400 captured"
