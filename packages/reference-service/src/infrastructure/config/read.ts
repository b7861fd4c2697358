/**
 * Reads every leaf of the schema from the environment, else from the file, else its default; collects every issue.
 * An empty environment variable counts as unset, as Compose passes unset ones.
 */
import type { ConfigIssue } from "./config-error.js";
import { type AppSettings, type Leaf, SettingsSchema } from "./schema.js";
import { parseDuration, parseSize } from "./units.js";

export type Environment = Readonly<Record<string, string | undefined>>;

interface Reading {
  readonly file: string;
  readonly environment: Environment;
  readonly issues: ConfigIssue[];
}

export function readSettings(document: unknown, file: string, environment: Environment): [AppSettings, ConfigIssue[]] {
  const reading: Reading = { file, environment, issues: [] };
  const settings = readBlock(SettingsSchema as unknown as Block, document ?? {}, [], reading);
  return [settings as AppSettings, reading.issues];
}

interface Block {
  readonly properties: Readonly<Record<string, Block | Leaf>>;
}

function readBlock(block: Block, value: unknown, path: readonly string[], reading: Reading): Record<string, unknown> {
  const present = isRecord(value) ? value : {};
  if (!isRecord(value) && value !== null) {
    reading.issues.push({
      source: reading.file,
      key: path.join(".") || "(all)",
      expected: "a block of keys",
      got: show(value),
    });
  }
  for (const key of Object.keys(present)) {
    if (Object.hasOwn(block.properties, key)) continue;
    const expected = `one of ${Object.keys(block.properties).join(", ") || "no keys"}`;
    reading.issues.push({ source: reading.file, key: [...path, key].join("."), expected, got: "an unknown key" });
  }
  const entries = Object.entries(block.properties).map(([key, child]): [string, unknown] => {
    const at = [...path, key];
    const own = Object.hasOwn(present, key) ? present[key] : undefined;
    return [key, "properties" in child ? readBlock(child, own ?? {}, at, reading) : readLeaf(child, own, at, reading)];
  });
  return Object.fromEntries(entries);
}

function readLeaf(leaf: Leaf, value: unknown, path: readonly string[], reading: Reading): unknown {
  const key = path.join(".");
  const names = key === "http.port" ? ["HTTP_PORT", "PORT"] : [variableOf(path)];
  if (leaf.kind === "headers") return readHeaders(value ?? {}, path, reading);
  const name = names.find((candidate) => (reading.environment[candidate] ?? "") !== "");
  const source = name === undefined ? reading.file : `environment variable ${name}`;
  const given = name === undefined ? value : reading.environment[name];
  if (given === undefined || given === null) return leaf.default;
  const parsed = parse(leaf, given, name !== undefined);
  if (parsed !== undefined) return parsed;
  // Urls may hold passwords.
  const got = leaf.kind === "url" ? "something else" : show(given);
  reading.issues.push({ source, key, expected: expectation(leaf), got });
  return leaf.default;
}

/** The key path in upper snake case: `services.stockService.url` is SERVICES_STOCK_SERVICE_URL. */
function variableOf(path: readonly string[]): string {
  const words = path
    .join("_")
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1_$2");
  return words.replace(/[^A-Za-z0-9]+/g, "_").toUpperCase();
}

/** Each header can be overridden by a variable of its own; none can be added that way. */
function readHeaders(value: unknown, path: readonly string[], reading: Reading): Record<string, string> {
  const key = path.join(".");
  const refuse = (at: string, expected: string, got: string): void => {
    reading.issues.push({ source: reading.file, key: at, expected, got });
  };
  if (!isRecord(value)) {
    refuse(key, "headers and their values", show(value));
    return {};
  }
  const headers: [string, string][] = [];
  for (const [header, text] of Object.entries(value)) {
    const given = reading.environment[variableOf([...path, header])] || text;
    const isHeader =
      /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(header) && typeof given === "string" && /^[\t\x20-\x7e]*$/.test(given);
    // The value may be a secret.
    if (isHeader) headers.push([header, given]);
    else refuse(`${key}.${header}`, "a header's name and its value as printable text", "something else");
  }
  return Object.fromEntries(headers);
}

function parse(leaf: Leaf, value: unknown, isText: boolean): unknown {
  const { kind, minimum = -Infinity, maximum = Infinity } = leaf;
  const inRange = (number: number | undefined) =>
    number !== undefined && number >= minimum && number <= maximum ? number : undefined;
  switch (kind) {
    case "integer": {
      const number = isText && /^-?\d+$/.test(value as string) ? Number(value) : value;
      return Number.isSafeInteger(number) ? inRange(number as number) : undefined;
    }
    case "duration":
      return inRange(parseDuration(value));
    case "size":
      return inRange(parseSize(value));
    case "flag":
      if (isText) return value === "true" ? true : value === "false" ? false : undefined;
      return typeof value === "boolean" ? value : undefined;
    case "text":
      return typeof value === "string" && value !== "" ? value : undefined;
    case "choice":
      return leaf.values?.includes(value as string) ? value : undefined;
    case "url": {
      if (typeof value !== "string" || !URL.canParse(value)) return undefined;
      return leaf.protocols?.includes(new URL(value).protocol) ? value.replace(/\/+$/, "") : undefined;
    }
    case "headers":
      return undefined;
  }
}

function expectation({ kind, minimum, maximum, values, protocols }: Leaf): string {
  switch (kind) {
    case "integer":
      return `a whole number from ${minimum} to ${maximum}`;
    case "duration":
      return `a duration of at least ${minimum} ms ("30s", "5m", or whole seconds)`;
    case "size":
      return `a size from 1 to ${maximum} bytes ("64KiB", "1MiB", or bytes)`;
    case "flag":
      return "true or false";
    case "text":
      return "text";
    case "choice":
      return `one of ${values?.join(", ")}`;
    case "url":
      return `a url that starts with ${protocols?.map((protocol) => `${protocol}//`).join(" or ")}`;
    case "headers":
      return "headers and their values";
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
