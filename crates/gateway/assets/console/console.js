// The console: log in, browse, place an order, watch it live. No library; every byte comes from the
// server that served this page.
import { Subscriptions, graphql } from "./graphql.js";
import { logIn, session } from "./session.js";

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
  REFUND_FAILED: "Refund failed, somebody looks into it",
};
const GOOD_ENDS = ["CONFIRMED"];
const BAD_ENDS = ["REJECTED", "CANCELLED", "REFUNDED", "REFUND_FAILED"];

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
const HISTORY = `query History($id: ID!) {
  order(id: $id) { history { status at } }
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

const subscriptions = new Subscriptions(showConnection);

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
  const way = make("a", "", order.number);
  way.href = `/orders/${encodeURIComponent(order.id)}/timeline`;
  way.title = "The way of this order";
  header.append(way, make("span", "", money(order.total)));
  const states = make("ul", "states");
  card.append(header, states);
  element("orders").prepend(card);

  const started = performance.now();
  const seen = new Set();
  const show = (status, elapsed) => {
    if (seen.has(status)) return;
    seen.add(status);
    const end = GOOD_ENDS.includes(status) ? "good" : BAD_ENDS.includes(status) ? "bad" : "";
    const state = make("li", end);
    const time = `+${Math.round(elapsed)} ms`;
    state.append(make("span", "", LABELS[status] ?? status), make("time", "", time));
    states.append(state);
  };
  const showNow = (status) => show(status, performance.now() - started);
  // Live, a burst shows its newest state only; in the end every state is there, by the server's clock.
  const showAll = async () => {
    const data = await graphql(HISTORY, { id: order.id });
    const history = data.order.history;
    seen.clear();
    states.replaceChildren();
    for (const { status, at } of history) show(status, new Date(at) - new Date(history[0].at));
  };
  showNow(order.status);
  subscriptions.start(
    WATCH,
    { id: order.id },
    (data) => showNow(data.orderUpdated.status),
    () => showAll().catch(() => {}),
  );
}

// The page -----------------------------------------------------------------------------------

function showPerson() {
  const isIn = session.token !== null;
  element("person").hidden = !isIn;
  element("person-name").textContent = session.email ?? "";
  element("log-in-card").hidden = isIn;
  const button = element("place-button");
  button.disabled = !isIn;
  button.textContent = isIn ? "Place the order" : "Log in to place the order";
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
element("log-out").addEventListener("click", () => session.end());
window.addEventListener("session-ended", () => {
  subscriptions.close();
  showPerson();
});

showPerson();
loadProducts();
