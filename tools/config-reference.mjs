#!/usr/bin/env node
// Writes docs/guides/config.md: a table of every key of the config, from the published JSON Schema and the list of what
// this version does not have. Run it with `npm run config-reference`; documents.test.ts proves that the page is fresh.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const INTRO = `# Config reference

Every key of the config file. Written by \`npm run config-reference\` from the published schema; do not edit it.

- \`[]\` stands for the items of a list, \`<name>\` for a name you choose.
- A **duration** is a number of whole seconds, or a number with a unit: \`1500ms\`, \`30s\`, \`5m\`, \`2h\`. A **size** is a number of bytes, or a
  number with \`KiB\`, \`MiB\` or \`GiB\`.
- "Required" means: where its block is written. A block without required keys may be left out.
- **Since** is the version that has the feature. A key with "later" is refused as \`not-available\` at its line, never ignored; where only some
  values are missing, they are named.
- A stage is one of \`service\` with \`endpoint\`, \`sleep\`, \`wait_for\` and \`saga\`; keys that belong to another one are refused. Stages of a batch call services.
- \`concurrency\` and \`rate_limit\` bound the runs of a workflow, and the chunks and items of a batch.
- \`nats.url\` carries the [events](events.md) of the service, those of choreographed sagas, and calls to services with \`transport: nats\`.
- Values of \`http\`, \`database\`, \`redis\`, \`nats\`, \`services\`, \`session\` and \`observability\` that a running service reads go into
  \`configs/app.yaml\`. Each can be overridden by an environment variable named like its path: \`session.context.ttl\` is \`SESSION_CONTEXT_TTL\`.
  \`configs/.env.example\` of the project lists those it has.
`;

/** The page as text. `rows`: what is unavailable, as in packages/generator/src/spec/availability.ts. */
export function configReference(schema, rows, version) {
  const sections = Object.entries(schema.properties).map(([name, block]) => {
    const lines = [];
    walk(name, block, (path, leaf, required) => lines.push(line(path, leaf, required)));
    const head = `| key | type | default | since | what it is |\n|---|---|---|---|---|`;
    return `## ${name}\n\n${block.description}\n\n${head}\n${lines.join("\n")}\n`;
  });
  return [INTRO, ...sections].join("\n");

  function line(path, leaf, required) {
    const { type, description } = describe(path, leaf);
    const cells = [`\`${path}\``, type, fallback(leaf, required), since(path), description];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  }

  function since(path) {
    const refused = rows.filter((row) => covers(row.path, path));
    const whole = refused.find((row) => row.values === undefined && row.type === undefined);
    if (whole !== undefined) return "later";
    const parts = refused.map((row) =>
      row.values === undefined ? `with type ${row.type}: later` : `${row.values.join(", ")}: later`,
    );
    return [version, ...parts].join("; ");
  }

  /** Keys that are the same in several places are listed once. */
  function walk(path, node, add) {
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      const at = `${path}.${key}`;
      const isRepeated = key === "retry" && path !== "services.<name>";
      const isGroup = key === "parallel" && child.items !== undefined;
      add(at, child, (node.required ?? []).includes(key));
      if (isRepeated || isGroup) continue;
      if (child.properties !== undefined) walk(at, child, add);
      if (child.items?.properties !== undefined) walk(`${at}[]`, child.items, add);
    }
    if (node.additionalProperties?.properties !== undefined) walk(`${path}.<name>`, node.additionalProperties, add);
  }
}

/** `*` is any part of a path. */
function covers(pattern, path) {
  const parts = pattern.replaceAll(".*", "*").replaceAll("tasks*", "tasks[]");
  const wanted = parts.replace("services*", "services.<name>");
  return path === wanted || path.startsWith(`${wanted}.`) || path.startsWith(`${wanted}[]`);
}

function describe(path, leaf) {
  if (path.endsWith(".retry") && path !== "services.<name>.retry")
    return { type: "block", description: `${leaf.description} Keys: as \`services.<name>.retry\`.` };
  if (path.endsWith(".parallel"))
    return {
      type: "list",
      description: "Stages that run at the same time, in the place of this one. Keys: as a stage, without `parallel`.",
    };
  return { type: typeOf(leaf), description: leaf.description };
}

function typeOf(leaf) {
  if (leaf.title !== undefined) return leaf.title;
  if (leaf.enum !== undefined) return leaf.enum.map((value) => `\`${value}\``).join(", ");
  if (leaf.type === "array") return leaf.items?.enum === undefined ? "list" : `list of ${typeOf(leaf.items)}`;
  if (leaf.type === "object") return "block";
  if (leaf.anyOf !== undefined) return "number or text";
  if (leaf.type === undefined) return "any";
  if (leaf.type === "integer") return `${leaf.minimum} to ${leaf.maximum}`;
  return leaf.type === "string" ? "text" : leaf.type;
}

function fallback(leaf, required) {
  if (required) return "required";
  const { default: value } = leaf;
  if (value === undefined || leaf.properties !== undefined || (Array.isArray(value) && value.length === 0)) return "";
  return value === "" ? "empty" : `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { unavailable } = await import("../packages/generator/dist/spec/availability.js");
  const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
  const json = (path) => JSON.parse(readFileSync(at(path), "utf8"));
  const { version } = json("packages/generator/package.json");
  const page = configReference(json("packages/generator/schema/clean-arch.schema.json"), unavailable, version);
  writeFileSync(at("docs/guides/config.md"), page);
}
