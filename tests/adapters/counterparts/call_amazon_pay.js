// Amazon Pay's own client: calls come in and answers go out, a JSON object a line.
// {"settings": …, "method": …, "args": […]} → {"status": …, "data": …} or {"failure": …}
"use strict";

const https = require("https");
const readline = require("readline");
const { WebStoreClient } = require("@amazonpay/amazon-pay-api-sdk-nodejs");

// With an address of its own the client turns the check of certificates off for the whole
// process, by a variable; what an agent says goes before that.
https.globalAgent.options.rejectUnauthorized = true;

async function answered({ settings, method, args }) {
  try {
    const { status, data } = await new WebStoreClient(settings)[method](...args);
    return { status, data };
  } catch (error) {
    if (!error.response) return { failure: error.code || String(error) };
    return { status: error.response.status, data: error.response.data };
  }
}

(async () => {
  console.log("ready");
  for await (const line of readline.createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await answered(JSON.parse(line))));
  }
})();
