// npm `graphql-ws`, the reference client of graphql-transport-ws, for the tests: commands come as
// lines of JSON on the standard input, what happens goes out as lines of JSON.
// Run with one argument, the folder of the packages.

import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const require = createRequire(`${process.argv[2]}/`);
const { createClient } = require("graphql-ws");
const { WebSocket } = require("ws");

const tell = (happened) => process.stdout.write(`${JSON.stringify(happened)}\n`);
// Of each connection to come.
let target = { url: "", token: null, cookie: null };
let closed = { code: 1006, reason: "" };
const running = new Map();

class Browser extends WebSocket {
  constructor(url, protocols) {
    const page = { cookie: target.cookie, "sec-fetch-site": "same-origin" };
    super(url, protocols, { headers: target.cookie ? page : {} });
  }
}

/** As docs/subscriptions.md advises: when the server says, else after a while that grows. */
async function retryWait(retries) {
  const said = /retry after (\d+) ms/.exec(closed.reason);
  const wait = said ? Number(said[1]) : 100 * 2 ** retries * (0.5 + Math.random());
  tell({ event: "waiting", milliseconds: wait });
  await new Promise((resolve) => setTimeout(resolve, wait));
}

const client = createClient({
  url: () => target.url,
  webSocketImpl: Browser,
  connectionParams: () => (target.token ? { Authorization: `Bearer ${target.token}` } : undefined),
  keepAlive: 1000,
  retryAttempts: 5,
  retryWait,
  on: {
    connected: () => tell({ event: "connected" }),
    pong: (received) => received && tell({ event: "pong" }),
    closed: (event) => {
      closed = { code: event.code, reason: event.reason };
      tell({ event: "closed", ...closed });
    },
  },
});

const commands = {
  target: (settings) => Object.assign(target, settings),
  subscribe: ({ id, query, variables }) => {
    const unsubscribe = client.subscribe(
      { query, variables },
      {
        next: (result) => tell({ event: "next", id, result }),
        error: (error) => tell({ event: "error", id, error: Array.isArray(error) ? error : { code: error.code, message: error.message ?? error.reason } }),
        complete: () => tell({ event: "complete", id }),
      },
    );
    running.set(id, unsubscribe);
  },
  unsubscribe: ({ id }) => running.get(id)(),
  dispose: () => client.dispose(),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...parameters } = JSON.parse(line);
  commands[command](parameters);
}
process.exit(0);
