#!/usr/bin/env bash
# localstripe 1.15.10 charges Stripe's test card that is declined.
#
# Guess: a payment with `pm_card_visa_chargeDeclined` ends in 402 `card_declined`, as in
#        Stripe's table of declined payments; a shop's test of it fails where the shop errs.
# Seen:  the payment succeeds. The card is declined only where it is saved for a customer;
#        what declines a payment is `pm_card_chargeCustomerFail` alone, and the error is no
#        `card_error` there and shows no payment.
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


for card in ("pm_card_visa_chargeDeclined", "pm_card_chargeCustomerFail"):
    paid = {"amount": 1000, "currency": "jpy", "payment_method": card}
    found = post("payment_intents", confirm="true", **paid)
    error = found.get("error", {})
    shows = "payment_intent" in error
    print(card, found.get("status") or (error["type"], error["code"], shows))
customer = post("customers", description="7")["id"]
saved = post("payment_methods/pm_card_visa_chargeDeclined/attach", customer=customer)
print("saving the first one:", saved["error"]["code"])
PYTHON
diff "$folder/seen" - <<'SEEN'
pm_card_visa_chargeDeclined succeeded
pm_card_chargeCustomerFail ('invalid_request_error', 'card_declined', False)
saving the first one: card_declined
SEEN
echo "as found: the card that Stripe declines pays; it cannot be saved"
