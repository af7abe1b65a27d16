#!/usr/bin/env bash
# @amazonpay/amazon-pay-api-sdk-nodejs 2.3.4 never sends a request again.
#
# Guess: what is throttled (429), or answered 408, 425 or 5xx, is sent up to three times
#        more after growing pauses, as its changelog and its constant RETRIES say.
# Seen:  one request, and the error. It looks for the status on the promise of a reply, and
#        not on the reply, where it is undefined. A payment that was throttled is given up
#        within the second, and whoever relies on the client's retries has none.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts \
  @amazonpay/amazon-pay-api-sdk-nodejs@2.3.4 >/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -days 1 \
  -subj /CN=127.0.0.1 2>/dev/null
cat >ask.js <<'NODE'
const fs = require("fs");
const https = require("https");
const { WebStoreClient } = require("@amazonpay/amazon-pay-api-sdk-nodejs");

const key = fs.readFileSync("key.pem");
let status, requests;
const gateway = https.createServer({ key, cert: fs.readFileSync("certificate.pem") }, (_, reply) => {
  requests += 1;
  reply.writeHead(status, { "Content-Type": "application/json" });
  reply.end('{"reasonCode": "TooManyRequests"}');
});
gateway.listen(0, "127.0.0.1", async () => {
  const client = new WebStoreClient({
    publicKeyId: "SANDBOX-MADEUP",
    privateKey: key,
    region: "jp",
    overrideServiceUrl: `127.0.0.1:${gateway.address().port}`,
  });
  for (status of [429, 425, 503]) {
    requests = 0;
    await client.getCharge("S03-1").catch((error) => {
      console.log(`${error.response.status}: ${requests} request`);
    });
  }
  gateway.close();
  process.exit();
});
NODE
NODE_NO_WARNINGS=1 node ask.js >seen
diff seen <(printf '429: 1 request\n425: 1 request\n503: 1 request\n')
echo "as found: one request each, and nothing is sent again"
