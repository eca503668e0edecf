// Starts GraphiQL against the endpoint that served this page. Subscriptions go over WebSocket by
// graphql-transport-ws; the headers tab is sent as the connection's payload there.
"use strict";

const welcome = `# Welcome to Plumbline. Run this with Ctrl-Enter.
query Products {
  products(first: 5) {
    edges {
      node { id name price { amount currency } available }
    }
    pageInfo { hasNextPage endCursor }
  }
}

# These need an access token in the Headers tab, { "Authorization": "Bearer ..." }.
# Logging in on the console page puts one there.
mutation PlaceOrder($productId: ID!, $key: String!) {
  placeOrder(input: {
    idempotencyKey: $key
    lines: [{ productId: $productId, quantity: 1 }]
    paymentMethod: "pm_card_visa"
  }) {
    order { id number status total { amount currency } }
    userErrors { code message field }
  }
}

subscription Watch($orderId: ID!) {
  orderUpdated(orderId: $orderId) { id status }
}
`;

const endpoint = new URL(window.location.href);
endpoint.search = "";
endpoint.hash = "";
const socket = new URL(endpoint.href);
socket.protocol = endpoint.protocol === "https:" ? "wss:" : "ws:";

// The console page keeps its access token here, for this tab.
const token = window.sessionStorage.getItem("plumbline.accessToken");
const headers = token === null ? {} : { Authorization: `Bearer ${token}` };

const fetcher = GraphiQL.createFetcher({ url: endpoint.href, subscriptionUrl: socket.href });
const explorer = React.createElement(GraphiQL, {
  fetcher,
  defaultQuery: welcome,
  headers: JSON.stringify(headers, null, 2),
  defaultEditorToolsVisibility: "headers",
  shouldPersistHeaders: false,
});
ReactDOM.createRoot(document.getElementById("graphiql")).render(explorer);
