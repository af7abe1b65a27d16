#!/usr/bin/env bash
# stripe 16.1.0 takes a webhook that is signed for next year.
#
# Guess: `Webhook.construct_event` refuses a signature whose time is more than the tolerance
#        of 300 seconds away from the receiver's clock, as a replay or a wrong clock.
# Seen:  only the past has a limit. A signature of a year ahead is accepted, so whoever once
#        got one with such a time can replay it for a year; and a header with a space after
#        its comma, which HTTP allows in lists, is refused.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet stripe==16.1.0
"$folder/venv/bin/python" - >"$folder/seen" <<'PYTHON'
import hashlib
import hmac
import time

import stripe

SECRET, BODY = "whsec_made_up", b'{"id": "evt_1", "object": "event"}'


def taken(at, comma=","):
    signed = str(at).encode() + b"." + BODY
    proof = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    header = f"t={at}{comma}v1={proof}"
    try:
        stripe.Webhook.construct_event(BODY, header, SECRET)
    except stripe.SignatureVerificationError:
        return "refused"
    return "taken"


now = int(time.time())
print("a year ago:", taken(now - 365 * 24 * 3600))
print("in a year:", taken(now + 365 * 24 * 3600))
print("now, with a space:", taken(now, ", "))
PYTHON
diff "$folder/seen" <(
  printf 'a year ago: refused\nin a year: taken\nnow, with a space: refused\n'
)
echo "as found: the tolerance counts backwards alone, and a space is not understood"
