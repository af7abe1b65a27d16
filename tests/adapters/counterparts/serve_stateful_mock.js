// stripe-stateful-mock on loopback, on a free port, until its input ends; prints where.
"use strict";

require("loglevel").setLevel("silent"); // it prints what is wrong with a request
const { createExpressApp } = require("stripe-stateful-mock");

const server = createExpressApp().listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
process.stdin.resume().on("end", () => process.exit());
