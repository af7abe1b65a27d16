#!/usr/bin/env bash
# payjpv2 1.3.0 reads a problem of PAY.JP's without its `code`.
#
# Guess: a 409 is raised as ConflictException, and its `data` says which of the two it is:
#        `idempotency_timeout` (the first request is still running: send the same again), or
#        `idempotency_conflict` (the key is another request's: never send that again).
# Seen:  the model of a problem has no `code`, and drops it. Both are the same exception with
#        the same data; only the raw `body` tells them apart.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet payjpv2==1.3.0
"$folder/venv/bin/python" - >"$folder/seen" <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import payjpv2
from payjpv2.models import PaymentFlowCaptureRequest

codes = iter(["idempotency_timeout", "idempotency_conflict"])


class Gateway(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        about = {"type": "about:blank", "title": "Conflict", "status": 409}
        body = json.dumps({**about, "code": next(codes)}).encode()
        self.send_response(409)
        self.send_header("Content-Type", "application/problem+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = HTTPServer(("127.0.0.1", 0), Gateway)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
settings = payjpv2.Configuration(host=url, access_token="sk_test_1", retries=0)
flows = payjpv2.PaymentFlowsApi(payjpv2.ApiClient(settings))
problems = []
for _ in "12":
    try:
        flows.capture_payment_flow("pfw_1", PaymentFlowCaptureRequest())
    except payjpv2.ApiException as error:
        problems.append(error)
print([type(error).__name__ for error in problems])
print(problems[0].data == problems[1].data, hasattr(problems[0].data, "code"))
print([json.loads(error.body)["code"] for error in problems])
PYTHON
diff "$folder/seen" - <<'SEEN'
['ConflictException', 'ConflictException']
True False
['idempotency_timeout', 'idempotency_conflict']
SEEN
echo "as found: two conflicts of opposite meaning have equal data; only the body differs"
