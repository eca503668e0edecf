// The way of one order, as the GraphQL API tells it to who may read the order.
import { graphql } from "./graphql.js";
import { logIn, session } from "./session.js";

const TIMELINE = `query Timeline($id: ID!) {
  order(id: $id) {
    number
    status
    timeline { at until kind what detail traceId }
  }
}`;

const element = (id) => document.getElementById(id);
// /orders/{id}/timeline
const id = decodeURIComponent(window.location.pathname.split("/")[2]);

/** The API counts microseconds, a Date only milliseconds. */
function microseconds(text) {
  const [, whole, fraction = ""] = /^(.*?)(?:\.(\d+))?Z$/.exec(text);
  return new Date(`${whole}Z`).getTime() * 1000 + Number(fraction.padEnd(6, "0").slice(0, 6));
}

function duration(from, to) {
  return `${((to - from) / 1000).toFixed(1)} ms`;
}

/** Makes a cell; text from the server is never taken for markup. */
function cell(className, text) {
  const made = document.createElement("td");
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

function row(entry, start, before) {
  const at = microseconds(entry.at);
  const took = entry.until === null ? "" : duration(at, microseconds(entry.until));
  const made = document.createElement("tr");
  made.className = entry.kind.toLowerCase();
  const what = cell("", entry.what);
  if (entry.detail !== null) {
    const detail = document.createElement("small");
    detail.textContent = ` ${entry.detail}`;
    what.append(detail);
  }
  made.append(
    cell("number", `+${duration(start, at)}`),
    cell("number", duration(before, at)),
    cell("number", took),
    cell("", entry.kind.toLowerCase()),
    what,
  );
  return made;
}

function show({ number, status, timeline }) {
  element("title").textContent = `The way of ${number}`;
  element("state").textContent = status;
  const traces = new Set(timeline.map(({ traceId }) => traceId).filter((trace) => trace !== null));
  element("traces").textContent = traces.size === 0 ? "" : `Traces: ${[...traces].join(", ")}`;
  const start = timeline.length === 0 ? 0 : microseconds(timeline[0].at);
  let before = start;
  const rows = timeline.map((entry) => {
    const made = row(entry, start, before);
    before = microseconds(entry.at);
    return made;
  });
  element("timeline").tBodies[0].replaceChildren(...rows);
  element("timeline").hidden = false;
}

async function load() {
  element("log-in").hidden = session.token !== null;
  if (session.token === null) {
    element("state").textContent = "Log in to see an order of yours.";
    return;
  }
  element("state").textContent = "Loading …";
  try {
    const { order } = await graphql(TIMELINE, { id });
    if (order === null) element("state").textContent = "There is no such order.";
    else show(order);
  } catch (error) {
    element("state").textContent = `The order could not be loaded: ${error.message}`;
  }
}

element("log-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await logIn(element("email").value, element("password").value);
    await load();
  } catch (error) {
    element("state").textContent = error.message;
  }
});
window.addEventListener("session-ended", load);
load();
