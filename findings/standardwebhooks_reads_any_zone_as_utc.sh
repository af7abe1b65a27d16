#!/usr/bin/env bash
# standardwebhooks 1.1.0 signs an aware time as if its clock face were in UTC.
#
# Guess: Webhook.sign takes an aware datetime, so one moment has one signature, in whatever
#        zone it is written: 12:00 in UTC and 21:00 in Tokyo are signed alike.
# Seen:  they are signed differently, as the zone is replaced and not converted. A message
#        whose timestamp header was made from the same datetime is refused by the package's
#        own verify. Times in UTC are signed right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet standardwebhooks==1.1.0
"$folder/venv/bin/python" - >"$folder/seen" <<'PYTHON'
from datetime import datetime, timedelta, timezone

from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook("whsec_YW4gZXhhbXBsZSBvZiAyNCBieXRlcyE=")
now = datetime.now(timezone.utc).replace(microsecond=0)
body = '{"type": "payment.captured"}'
for name, zone in (("UTC", timezone.utc), ("Tokyo", timezone(timedelta(hours=9)))):
    at = now.astimezone(zone)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": webhook.sign("msg_1", at, body),
    }
    try:
        webhook.verify(body, headers)
        print(name, "verified")
    except WebhookVerificationError as error:
        print(name, error)
PYTHON
diff "$folder/seen" <(printf 'UTC verified\nTokyo No matching signature found\n')
echo "as found: the same moment, written in Tokyo's time, has another signature"
