#!/usr/bin/env bash
# localstripe 1.15.10 pays twice under one Idempotency-Key.
#
# Guess: a stand-in for Stripe answers a repeated key with the first answer, and refuses the
#        key with another amount, as Stripe documents. A client's retries can be tested.
# Seen:  the header is not looked at. The same request with the same key makes a second
#        payment intent that has succeeded, and so does another amount under that key.
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


def post(path, key="", **fields):
    url = f"http://127.0.0.1:{sys.argv[1]}/v1/{path}"
    headers = {"Authorization": "Bearer sk_test_12345", "Idempotency-Key": key}
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
paid = {"currency": "jpy", "payment_method": method, "confirm": "true"}
first, again, other = (
    post("payment_intents", "order-1", amount=amount, **paid)
    for amount in (1000, 1000, 2000)
)
print([each["status"] for each in (first, again, other)])
print(len({each["id"] for each in (first, again, other)}), "payments")
PYTHON
diff "$folder/seen" <(printf "['succeeded', 'succeeded', 'succeeded']\n3 payments\n")
echo "as found: three payments under one key, two of them the same request"
