#!/usr/bin/env bash
# cloudevents 2.2.0 writes a Boolean attribute into an HTTP header as "True".
#
# Guess: in the binary mode a Boolean extension is "true" or "false", which is the string
#        form of the type that CloudEvents 1.0 defines, in lower case.
# Seen:  the header is "True". In the structured mode the same event has JSON's true. A
#        receiver that follows the definition reads the one and refuses the other.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet cloudevents==2.2.0
"$folder/venv/bin/python" - >"$folder/seen" <<'PYTHON'
import json

from cloudevents.core.bindings.http import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

event = CloudEvent(
    {
        "id": "1",
        "source": "/shop",
        "type": "payment.captured",
        "specversion": "1.0",
        "livemode": True,
    },
    {"amount": 1200},
)
print("binary", to_binary(event, JSONFormat()).headers["ce-livemode"])
body = json.loads(to_structured(event, JSONFormat()).body)
print("structured", json.dumps(body["livemode"]))
PYTHON
diff "$folder/seen" <(printf 'binary True\nstructured true\n')
echo "as found: ce-livemode: True in the binary mode, true in the structured one"
