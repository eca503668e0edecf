// The console: log in, browse, place an order, watch it live. No library; every byte comes from the
// server that served this page.
"use strict";

const TOKEN = "plumbline.accessToken";
const REFRESH = "plumbline.refreshToken";
const EMAIL = "plumbline.email";

const LABELS = {
  PLACED: "Placed",
  STOCK_RESERVED: "Stock reserved",
  PAYMENT_PENDING: "Payment asked for",
  PAYMENT_UNKNOWN: "Payment in doubt",
  PAID: "Paid",
  CONFIRMED: "Confirmed",
  REJECTED: "Rejected: out of stock",
  PAYMENT_FAILED: "Payment declined",
  CANCEL_REQUESTED: "Cancelling",
  CANCELLED: "Cancelled, stock released",
  REFUNDING: "Refunding",
  REFUNDED: "Refunded",
};
const GOOD_ENDS = ["CONFIRMED"];
const BAD_ENDS = ["REJECTED", "CANCELLED", "REFUNDED"];

const PRODUCTS = `query Products($after: String, $search: String) {
  products(first: 12, after: $after, search: $search) {
    edges { node { id name description price { amount currency } available } }
    pageInfo { hasNextPage endCursor }
  }
}`;
const PLACE = `mutation PlaceOrder($input: PlaceOrderInput!) {
  placeOrder(input: $input) {
    order { id number status total { amount currency } createdAt }
    userErrors { code message field }
  }
}`;
const WATCH = `subscription Watch($id: ID!) {
  orderUpdated(orderId: $id) { id status }
}`;

const element = (id) => document.getElementById(id);

/** Makes an element with text; text from the server is never taken for markup. */
function make(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function money({ amount, currency }) {
  const format = new Intl.NumberFormat(undefined, { style: "currency", currency });
  const digits = format.resolvedOptions().maximumFractionDigits;
  return format.format(amount / 10 ** digits);
}

// Session ------------------------------------------------------------------------------------

const session = {
  get token() {
    return sessionStorage.getItem(TOKEN);
  },
  begin(email, answer) {
    sessionStorage.setItem(EMAIL, email);
    sessionStorage.setItem(TOKEN, answer.access_token);
    sessionStorage.setItem(REFRESH, answer.refresh_token);
  },
  end() {
    for (const key of [TOKEN, REFRESH, EMAIL]) sessionStorage.removeItem(key);
  },
};

async function postJson(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.detail || answer.title || `Status ${response.status}`);
  return answer;
}

async function logIn(email, password) {
  session.begin(email, await postJson("/auth/v1/sessions", { email, password }));
}

/** Exchanges the refresh token; several callers at once share one exchange, for it works once. */
let refreshing = null;
function refresh() {
  refreshing ??= (async () => {
    try {
      const refresh_token = sessionStorage.getItem(REFRESH);
      const answer = await postJson("/auth/v1/tokens/refresh", { refresh_token });
      session.begin(sessionStorage.getItem(EMAIL), answer);
    } finally {
      refreshing = null;
    }
  })();
  return refreshing;
}

// GraphQL ------------------------------------------------------------------------------------

async function graphql(query, variables, mayRefresh = true) {
  const headers = { "content-type": "application/json", accept: "application/graphql-response+json" };
  if (session.token) headers.authorization = `Bearer ${session.token}`;
  const response = await fetch("/graphql", {
    method: "POST",
    headers,
    body: JSON.stringify({ query, variables }),
  });
  if (response.status === 401 && session.token && mayRefresh) {
    await refresh().catch(logOut);
    return graphql(query, variables, false);
  }
  const answer = await response.json();
  if (answer.errors) throw new Error(answer.errors[0].message);
  return answer.data;
}

/** One WebSocket by graphql-transport-ws, opened when needed and again when it was lost. */
class Subscriptions {
  #socket = null;
  #isReady = false;
  #running = new Map();
  #nextId = 1;
  #attempts = 0;
  #retry = null;

  start(query, variables, onData) {
    const id = String(this.#nextId++);
    this.#running.set(id, { query, variables, onData });
    if (this.#isReady) this.#subscribe(id);
    else this.#open();
  }

  close() {
    this.#running.clear();
    clearTimeout(this.#retry);
    this.#socket?.close(1000);
    this.#socket = null;
    this.#isReady = false;
    showConnection("Not connected", false);
  }

  #open() {
    if (this.#socket !== null) return;
    const address = new URL("/graphql", window.location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address, "graphql-transport-ws");
    this.#socket = socket;
    showConnection("Connecting …", false);
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
        showConnection("Connected by WebSocket", true);
        for (const id of this.#running.keys()) this.#subscribe(id);
        break;
      case "ping":
        this.#socket.send(JSON.stringify({ type: "pong" }));
        break;
      case "next":
        this.#running.get(message.id)?.onData(message.payload.data);
        break;
      case "error":
      case "complete":
        this.#running.delete(message.id);
        break;
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
      showConnection("Connects again with the next order", false);
      return;
    }
    showConnection(`Connection lost (${event.code}), coming back …`, false);
    const wait = Math.min(1000 * 2 ** this.#attempts++, 15000) * (0.5 + Math.random());
    this.#retry = setTimeout(async () => {
      // 4403: the token has expired.
      if (event.code === 4403) await refresh().catch(logOut);
      if (session.token) this.#open();
    }, wait);
  }
}

const subscriptions = new Subscriptions();

function showConnection(text, isOpen) {
  element("connection").textContent = text;
  element("connection").classList.toggle("open", isOpen);
}

// Catalogue ----------------------------------------------------------------------------------

const catalogue = { after: null, search: null };

async function loadProducts() {
  const state = element("catalogue-state");
  try {
    const { products } = await graphql(PRODUCTS, { after: catalogue.after, search: catalogue.search });
    catalogue.after = products.pageInfo.endCursor;
    element("products").append(...products.edges.map(({ node }) => productCard(node)));
    element("more").hidden = !products.pageInfo.hasNextPage;
    state.textContent = element("products").childElementCount === 0 ? "Nothing found." : "";
  } catch (error) {
    state.textContent = `The catalogue could not be loaded: ${error.message}`;
  }
}

function productCard(product) {
  const card = make("li", "product");
  const button = make("button", "", product.available > 0 ? "Add" : "Sold out");
  button.type = "button";
  button.setAttribute("aria-label", `${button.textContent}: ${product.name}`);
  // Sold out too: the shop answers with a rejected order, which is worth seeing.
  button.addEventListener("click", () => addToBasket(product));
  card.append(
    make("h3", "", product.name),
    make("p", "", product.description),
    make("p", "price", money(product.price)),
    button,
  );
  return card;
}

// Basket -------------------------------------------------------------------------------------

const basket = new Map();
/** Names the attempt to place this basket: a repeated click leads to the same order. */
let idempotencyKey = newKey();

function newKey() {
  // randomUUID is there only over HTTPS and on localhost.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function addToBasket(product) {
  const line = basket.get(product.id) ?? { product, quantity: 0 };
  line.quantity += 1;
  basket.set(product.id, line);
  basketChanged();
}

function basketChanged() {
  idempotencyKey = newKey();
  const lines = [...basket.values()];
  element("basket").replaceChildren(...lines.map(basketLine));
  element("basket-empty").hidden = lines.length > 0;
  element("place").hidden = lines.length === 0;
  element("place-error").textContent = "";
  if (lines.length > 0) {
    const amount = lines.reduce((sum, line) => sum + line.product.price.amount * line.quantity, 0);
    const { currency } = lines[0].product.price;
    element("basket-total").textContent = money({ amount, currency });
  }
  showPerson();
}

function basketLine({ product, quantity }) {
  const line = make("li");
  const remove = make("button", "", "Remove");
  remove.type = "button";
  remove.setAttribute("aria-label", `Remove ${product.name}`);
  remove.addEventListener("click", () => {
    basket.delete(product.id);
    basketChanged();
  });
  line.append(make("span", "", product.name), make("span", "", `× ${quantity}`), remove);
  return line;
}

async function placeOrder() {
  const button = element("place-button");
  button.disabled = true;
  element("place-error").textContent = "";
  try {
    const lines = [...basket.values()];
    const input = {
      idempotencyKey,
      lines: lines.map(({ product, quantity }) => ({ productId: product.id, quantity })),
      paymentMethod: element("method").value,
    };
    const { placeOrder: payload } = await graphql(PLACE, { input });
    if (payload.userErrors.length > 0) {
      throw new Error(payload.userErrors.map((error) => error.message).join(", "));
    }
    basket.clear();
    basketChanged();
    watch(payload.order);
  } catch (error) {
    element("place-error").textContent = error.message;
  } finally {
    showPerson();
  }
}

// Orders -------------------------------------------------------------------------------------

function watch(order) {
  element("watch-card").hidden = false;
  const card = make("article", "order");
  const header = make("header");
  header.append(make("strong", "", order.number), make("span", "", money(order.total)));
  const states = make("ul", "states");
  card.append(header, states);
  element("orders").prepend(card);

  const started = performance.now();
  const seen = new Set();
  const show = (status) => {
    if (seen.has(status)) return;
    seen.add(status);
    const end = GOOD_ENDS.includes(status) ? "good" : BAD_ENDS.includes(status) ? "bad" : "";
    const state = make("li", end);
    const elapsed = Math.round(performance.now() - started);
    state.append(make("span", "", LABELS[status] ?? status), make("time", "", `+${elapsed} ms`));
    states.append(state);
  };
  show(order.status);
  subscriptions.start(WATCH, { id: order.id }, (data) => show(data.orderUpdated.status));
}

// The page -----------------------------------------------------------------------------------

function showPerson() {
  const isIn = session.token !== null;
  element("person").hidden = !isIn;
  element("person-name").textContent = sessionStorage.getItem(EMAIL) ?? "";
  element("log-in-card").hidden = isIn;
  const button = element("place-button");
  button.disabled = !isIn;
  button.textContent = isIn ? "Place the order" : "Log in to place the order";
}

function logOut() {
  session.end();
  subscriptions.close();
  showPerson();
}

function onSubmit(id, act) {
  element(id).addEventListener("submit", (event) => {
    event.preventDefault();
    act();
  });
}

onSubmit("log-in", async () => {
  element("log-in-error").textContent = "";
  try {
    await logIn(element("email").value, element("password").value);
    showPerson();
  } catch (error) {
    element("log-in-error").textContent = error.message;
  }
});
onSubmit("search", () => {
  catalogue.after = null;
  catalogue.search = element("search-text").value.trim() || null;
  element("products").replaceChildren();
  loadProducts();
});
onSubmit("place", placeOrder);
element("more").addEventListener("click", loadProducts);
element("log-out").addEventListener("click", logOut);

showPerson();
loadProducts();
