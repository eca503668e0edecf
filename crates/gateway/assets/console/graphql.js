// GraphQL: over HTTP for one answer, over WebSocket for a stream of them.

import { refresh, session } from "./session.js";

export async function graphql(query, variables, mayRefresh = true) {
  const headers = { "content-type": "application/json", accept: "application/graphql-response+json" };
  if (session.token) headers.authorization = `Bearer ${session.token}`;
  const response = await fetch("/graphql", {
    method: "POST",
    headers,
    body: JSON.stringify({ query, variables }),
  });
  if (response.status === 401 && session.token && mayRefresh) {
    await refresh();
    return graphql(query, variables, false);
  }
  const answer = await response.json();
  if (answer.errors) throw new Error(answer.errors[0].message);
  return answer.data;
}

/** One WebSocket by graphql-transport-ws, opened when needed and again when it was lost. */
export class Subscriptions {
  #show;
  #socket = null;
  #isReady = false;
  #running = new Map();
  #nextId = 1;
  #attempts = 0;
  #retry = null;

  /** Tells `show` in words how the connection is, and whether it is open. */
  constructor(show) {
    this.#show = show;
  }

  start(query, variables, onData, onEnd) {
    const id = String(this.#nextId++);
    this.#running.set(id, { query, variables, onData, onEnd });
    if (this.#isReady) this.#subscribe(id);
    else this.#open();
  }

  close() {
    this.#running.clear();
    clearTimeout(this.#retry);
    this.#socket?.close(1000);
    this.#socket = null;
    this.#isReady = false;
    this.#show("Not connected", false);
  }

  #open() {
    if (this.#socket !== null) return;
    const address = new URL("/graphql", window.location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address, "graphql-transport-ws");
    this.#socket = socket;
    this.#show("Connecting …", false);
    socket.addEventListener("open", () => {
      const payload = { Authorization: `Bearer ${session.token}` };
      socket.send(JSON.stringify({ type: "connection_init", payload }));
    });
    socket.addEventListener("message", (event) => this.#receive(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => {
      if (this.#socket === socket) this.#lost(event);
    });
  }

  #receive(message) {
    switch (message.type) {
      case "connection_ack":
        this.#isReady = true;
        this.#attempts = 0;
        this.#show("Connected by WebSocket", true);
        for (const id of this.#running.keys()) this.#subscribe(id);
        break;
      case "ping":
        this.#socket.send(JSON.stringify({ type: "pong" }));
        break;
      case "next":
        this.#running.get(message.id)?.onData(message.payload.data);
        break;
      case "error":
      case "complete": {
        const ended = this.#running.get(message.id);
        this.#running.delete(message.id);
        ended?.onEnd();
        break;
      }
    }
  }

  #subscribe(id) {
    const { query, variables } = this.#running.get(id);
    this.#socket.send(JSON.stringify({ type: "subscribe", id, payload: { query, variables } }));
  }

  /** Comes back after a while that grows and is never the same for two clients. */
  #lost(event) {
    this.#socket = null;
    this.#isReady = false;
    if (this.#running.size === 0) {
      this.#show("Connects again with the next order", false);
      return;
    }
    this.#show(`Connection lost (${event.code}), coming back …`, false);
    const wait = Math.min(1000 * 2 ** this.#attempts++, 15000) * (0.5 + Math.random());
    this.#retry = setTimeout(async () => {
      // 4403: the token has expired.
      if (event.code === 4403) await refresh();
      if (session.token) this.#open();
    }, wait);
  }
}
