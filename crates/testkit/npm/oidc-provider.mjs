// A provider of OpenID Connect for the tests: npm `oidc-provider`, certified by the OpenID
// Foundation, with its own pages for log-in and consent, and a person for every login name.
// Run with one argument, as JSON: modules, client_id, client_secret, redirect_uri.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const settings = JSON.parse(process.argv[2]);
const require = createRequire(`${settings.modules}/`);
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")));

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: settings.client_id,
        client_secret: settings.client_secret,
        redirect_uris: [settings.redirect_uri],
      },
    ],
    claims: { email: ["email", "email_verified"], profile: ["name"] },
    // `unverified-…` is somebody whose address the provider has not verified.
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        email: `${id}@example.com`,
        email_verified: !id.startsWith("unverified-"),
        name: `Person ${id}`,
      }),
    }),
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
