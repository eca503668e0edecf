// Prints what breaks clients between two GraphQL schemas, a line each, as graphql-js judges it.
// node breaking-changes.mjs NODE_MODULES OLD NEW
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [modules, ...files] = process.argv.slice(2);
const { buildASTSchema, findBreakingChanges, parse, specifiedDirectives } = createRequire(
  join(modules, "/"),
)("graphql");
const specified = new Set(specifiedDirectives.map((directive) => directive.name));

// The specification's directives are no promise of ours, and each version of graphql-js has its own.
function read(file) {
  const document = parse(readFileSync(file, "utf8"));
  const definitions = document.definitions.filter(
    ({ kind, name }) => kind !== "DirectiveDefinition" || !specified.has(name.value),
  );
  return buildASTSchema({ ...document, definitions });
}

const [before, after] = files.map(read);
for (const { type, description } of findBreakingChanges(before, after)) {
  console.log(`${type}: ${description}`);
}
