// Prints what breaks clients between two GraphQL schemas, a line each, as graphql-js judges it.
// node breaking-changes.mjs NODE_MODULES OLD NEW
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [modules, ...files] = process.argv.slice(2);
const { buildSchema, findBreakingChanges } = createRequire(join(modules, "/"))("graphql");
const [before, after] = files.map((file) => buildSchema(readFileSync(file, "utf8")));
for (const { type, description } of findBreakingChanges(before, after)) {
  console.log(`${type}: ${description}`);
}
