/**
 * For tests: configs drawn at random from the published JSON Schema, down to every key it has, then mended until the
 * generator takes them: what a diagnostic points at is taken out. One seed gives one config.
 */
import { stringify } from "yaml";

import { type Diagnostic, RefusedError } from "./diagnostics.js";
import type { JsonValue } from "./model.js";
import { namesOf } from "./naming.js";
import type { Schema } from "./spec/keywords.js";
import { publishedSchema } from "./spec/published.js";
import { readConfig } from "./spec/read.js";
import type { Config } from "./spec/schema.js";

export interface RandomConfig {
  readonly config: Config;
  readonly text: string;
}

/** Text that wants out of wherever it is put. */
export const HOSTILE_TEXTS: readonly string[] = [
  "*/ globalThis.canary = 1; /*",
  "`${(globalThis.canary = 1)}`",
  "${globalThis.canary = 1}",
  '"; globalThis.canary = 1; "',
  "'); globalThis.canary = 1; ('",
  "line\nbreak\r\nand \u2028 and \u2029",
  "</script><script>globalThis.canary = 1</script>",
  "# comment",
  "key: value",
  "- item",
  "{{ canary }} {% canary %}",
  "\\",
  "\\u0022",
  "&anchor *alias !!js/function",
  "%TAG ! tag:x",
  "| > @ ` ? [ ] { } ,",
  "$(touch canary) `touch canary` && touch canary",
  "\u202e\u200b\ufeff\u00e9\u{1f600}",
  " leading and trailing ",
  "null",
  "~",
  "1e3",
  "0x1f",
  "no",
  "2026-01-31",
  "<<",
  "--- ",
  "__proto__",
  "$$ $& $1 $`",
];

const NAMES = [
  ..."Order OrderLine Repository Json Page Field Check Clock Fields Values Service Handler List Query Dependencies".split(
    " ",
  ),
  ..."Application Session Run Saga Migration Table Column Type Text UuidV7 HTTPRoute a_1 b2 get_of name value from order".split(
    " ",
  ),
  ..."select limit group key type input output context stage handlers definitions sagas_x participants bindings".split(
    " ",
  ),
  ..."settings logger scope server saga batch json JsonObject step parallel pivot build ledger runs ports main".split(
    " ",
  ),
  ..."accounting_entry OrderUseCases CreateOrder NewOrder order_patch CheckNewOrder sqlite_x clean_arch_x class".split(
    " ",
  ),
];
const ENDPOINTS = [
  "/a",
  "b",
  "/a-b",
  "/a_b",
  "/delete",
  "/v1/x.y",
  "/2",
  "/",
  "/%C3%A9",
  "/with space",
  "/$&'()*+,;=:@",
  "/class",
  "../x",
];
const PATTERNS = [
  "^[a-z]+$",
  "^\\p{L}{1,5}$",
  "^(a+)+$",
  "^(?:x|y){2,3}$",
  "\\$\\{",
  "`",
  "^[^\\]\"'`]*$",
  "^\\d{2,4}(-\\d+)*$",
];

/** How often a key is drawn; what most configs cannot have, seldom. */
const LIKELY: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    ["name", "service", "endpoint", "source", "values", "entity", "stages", "entities", "tasks"].map((key) => [key, 1]),
  ),
  ...Object.fromEntries(
    "package_manager cors rate_limit pool generate concurrency_per_key queue_key schedule_input input when map heartbeat tracing replicas kubernetes items file max_items"
      .split(" ")
      .map((key) => [key, 0.03]),
  ),
  concurrency: 0.1,
  transport: 0.7,
  parallel: 0.3,
};

const EXPRESSIONS = [
  "input.lines",
  "[input.a.b[c = 1]]",
  "$count(input.lines) > 0",
  '`a b`."it\'s"',
  "$random()",
  "a.(",
];

const LIKELY_IN_STAGE: Readonly<Record<string, number>> = {
  saga: 0.1,
  sleep: 0.1,
  wait_for: 0.1,
  on_timeout: 0.1,
  concurrency: 0.03,
  pivot: 0.1,
  map: 0.3,
  when: 0.1,
  input: 0.2,
};

type Drawn = Record<string, JsonValue>;

const without = (drawn: Drawn, ...keys: string[]): Drawn =>
  Object.fromEntries(Object.entries(drawn).filter(([key]) => !keys.includes(key)));

function fieldOfOneType(drawn: Drawn): Drawn {
  const others = [
    ["enum", "values"],
    ["reference", "entity", "on_delete"],
    ["integer bigint decimal", "min", "max"],
    ["string text", "min_length", "max_length", "pattern"],
  ].filter(([types]) => !types?.split(" ").includes(String(drawn.type)));
  return without(drawn, ...others.flatMap(([, ...keys]) => keys));
}

/** Of what a stage can be, one; most that is drawn for it belongs to a call. */
function stageOrGroup(drawn: Drawn): Drawn {
  if (drawn.parallel !== undefined) return { name: drawn.name ?? "", parallel: drawn.parallel };
  const kind = ["sleep", "wait_for", "saga"].find((key) => drawn[key] !== undefined);
  if (kind === undefined) return drawn;
  const kept = ["name", "when", "pivot", kind, ...(kind === "wait_for" ? ["timeout", "on_timeout"] : [])];
  return Object.fromEntries(Object.entries(drawn).filter(([key]) => kept.includes(key)));
}

/** A stream of numbers in [0, 1) that depends on the seed alone. */
function randomOf(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Drawer {
  readonly #next: () => number;
  readonly #services: readonly string[];
  readonly #entities: readonly string[];
  readonly #tasks: readonly string[];

  constructor(seed: number) {
    this.#next = randomOf(seed);
    this.#services = this.#distinct(NAMES, 4);
    this.#entities = this.#distinct(NAMES, 6);
    this.#tasks = this.#distinct(NAMES, 5);
  }

  #below(bound: number): number {
    return Math.floor(this.#next() * bound);
  }

  #one<T>(items: readonly T[]): T {
    return items[this.#below(items.length)] as T;
  }

  #distinct<T>(items: readonly T[], count: number): T[] {
    return [...new Set(Array.from({ length: count }, () => this.#one(items)))];
  }

  value(schema: Schema, path: readonly string[]): JsonValue {
    const key = path.at(-1) ?? "";
    if (schema.title === "duration")
      return this.#one<JsonValue>([1, 5, 300, "1500ms", "30s", "5m", "2h", "1ms", 31_536_000]);
    if (schema.title === "delay") return this.#one<JsonValue>([5, "1500ms", "${ input.until }", "${ a.( }"]);
    if (schema.title === "size") return this.#one<JsonValue>([1, 65_536, "64KiB", "1MiB", "1GiB"]);
    if (schema.anyOf !== undefined)
      return this.#one<JsonValue>([0, 1, -3, "2.5", "-0.5", 100, "9223372036854775807", 1e21, "007"]);
    if (schema.enum !== undefined) return this.#one(schema.enum);
    if (key === "where") return { [this.#one(NAMES)]: this.#any(1) };
    switch (schema.type) {
      case "object":
        return schema.properties === undefined ? this.#named(schema, path) : this.#block(schema, path);
      case "array":
        return this.#list(schema, path);
      case "boolean":
        return this.#next() < 0.5;
      case "integer":
      case "number":
        return this.#number(schema);
      case "string":
        return this.#text(schema, key, path);
      default:
        return this.#any(3);
    }
  }

  #block(schema: Schema, path: readonly string[]): JsonValue {
    const entries: [string, JsonValue][] = [];
    for (const [key, property] of Object.entries(schema.properties ?? {})) {
      const likely =
        schema.required?.includes(key) === true || path.length === 0
          ? 1
          : ((this.#isInStage(path) ? LIKELY_IN_STAGE[key] : undefined) ?? LIKELY[key] ?? 0.5);
      if (this.#next() < likely) entries.push([key, this.value(property, [...path, key])]);
    }
    const drawn = Object.fromEntries(entries);
    if (path.at(-1) === "source")
      return this.#one([drawn.entity, drawn.service]) === drawn.entity
        ? without(drawn, "service", "endpoint", "items", "file", "format")
        : without(drawn, "entity", "where", "items", "file", "format");
    return path.at(-2) === "fields" ? fieldOfOneType(drawn) : this.#isInStage(path) ? stageOrGroup(drawn) : drawn;
  }

  #isInStage(path: readonly string[]): boolean {
    return path.at(-1) === "[]" && (path.at(-2) === "stages" || path.at(-2) === "parallel");
  }

  #named(schema: Schema, path: readonly string[]): JsonValue {
    const names =
      path.at(-1) === "services"
        ? this.#services
        : this.#distinct(["X-Name", "x-Other", "Authorization", "x_under"], 2);
    return Object.fromEntries(
      names.map((name) => [name, this.value(schema.additionalProperties || {}, [...path, name])]),
    );
  }

  #list(schema: Schema, path: readonly string[]): JsonValue {
    const count = Math.max(schema.minItems ?? 0, 1 + this.#below(path.at(-1) === "fields" ? 6 : 4));
    const items = Array.from({ length: count }, () => this.value(schema.items ?? {}, [...path, "[]"]));
    if (path.at(-1) !== "entities") return schema.uniqueItems === true ? [...new Set(items)] : items;
    return this.#entities.map((name, i) => ({ ...(items[i % items.length] as object), name }));
  }

  #number({ minimum = 0, maximum = 100 }: Schema): number {
    const small = Math.min(maximum, minimum + this.#below(50));
    return this.#one([minimum, maximum, small, small, small]);
  }

  #text(schema: Schema, key: string, path: readonly string[]): JsonValue {
    const parent = path.at(-2);
    if (parent === "publish")
      return `${namesOf(this.#one(this.#entities)).snake}.${this.#one(["created", "updated", "deleted", "moved"])}`;
    if (key === "subject") return this.#one(["payment.captured", "order.*", "order.>", ">", "a..b", "order.created"]);
    if (key === "handler") return this.#one(["on_payment", "onPayment", "delete", "config", "on_order", "then"]);
    if (key === "from") return this.#one(["billing-service", "Order-Service", "x--y_"]);
    if (key === "stage") return this.#one(NAMES.slice(0, 12));
    if (key === "name" && path.includes("stages")) return this.#one(NAMES.slice(0, 24));
    if (key === "saga" || (key === "name" && parent === "[]" && path.at(-3) === "tasks")) return this.#one(this.#tasks);
    if (key === "wait_for") return this.#one(["approved", "go.on", "a-b_c", "1st"]);
    if (key === "file") return this.#one(["data/a.csv", "a.txt", "it's `${x}`.csv", "a\0b"]);
    if (key === "service") return this.#one(this.#services);
    if (key === "entity") return this.#one(this.#entities);
    if (key === "endpoint" || key === "action") return this.#one(ENDPOINTS);
    if (key === "when" || key === "map" || key === "queue_key") return this.#one(EXPRESSIONS);
    if (key === "pattern") return this.#one(PATTERNS);
    if (key === "schedule") return this.#one(["0 2 * * *", "*/5 1-3 * jan mon", "61 * * * *"]);
    if (key === "timezone") return this.#one(["UTC", "Europe/Berlin"]);
    if (key === "version") return this.#one(["1.2.3", "0.0.0-rc.1", "1.0.0--x"]);
    if (key === "host") return this.#one(["127.0.0.1", "localhost", "::"]);
    if (key === "prefix") return this.#one(["x:", "{a}/b"]);
    if (parent === "cookie") return this.#one(["shop", "__Host-shop", "__host-shop"]);
    if (key === "name" && path[0] === "project") return this.#one(["Order-Service", "a", "HTTPServer_v2", "x--y_"]);
    if (key === "url") {
      if (parent === "database") return this.#one(["file:data/other.db", "postgres://h/d"]);
      if (path[0] === "redis" || path[0] === "nats") return this.#one([`${path[0]}://localhost:1`, "x"]);
      return this.#one(["http://localhost:1", "https://example.org/base/", "nats://localhost:1", "ftp://x"]);
    }
    if (parent === "headers" || path.at(-2) === "headers")
      return this.#one(["plain", "Bearer ${A_TOKEN}", "a \" ' ` \\ # : x"]);
    if (schema.pattern !== undefined) return this.#one(NAMES);
    return this.#one(HOSTILE_TEXTS).slice(0, schema.maxLength);
  }

  #any(depth: number): JsonValue {
    const pick = this.#below(depth > 0 ? 8 : 6);
    if (pick < 3) return this.#one(HOSTILE_TEXTS);
    if (pick < 6)
      return this.#one<JsonValue>([null, true, 0, -1.5, "text", "2026-01-31", "0190b2f6-5c8a-7c3e-9d1f-2b6a4e8c0d11"]);
    if (pick === 6) return Array.from({ length: this.#below(3) }, () => this.#any(depth - 1));
    return Object.fromEntries(
      this.#distinct(["a", "a-b", "it's", "`", "toString"], 2).map((key) => [key, this.#any(depth - 1)]),
    );
  }
}

/** Every key of the config is there somewhere in enough of them. */
export function randomConfig(seed: number): RandomConfig {
  const drawn = new Drawer(seed).value(publishedSchema().schema, []);
  for (let round = 0; round < 400; round += 1) {
    const text = stringify(drawn, { aliasDuplicateObjects: false });
    try {
      return { config: readConfig(Buffer.from(text), "config.yaml").config, text };
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      takeOut(drawn, error.diagnostics);
    }
  }
  throw new Error(`seed ${seed}: no config could be made of what was drawn`);
}

/** Takes out the values the errors are about, or the nearest things around them that can be missing. */
function takeOut(drawn: JsonValue, diagnostics: readonly Diagnostic[]): void {
  const paths = diagnostics
    .filter(({ severity }) => severity === "error")
    .map(({ key, code }) => existing(drawn, key, code));
  const texts = paths.map((path) => JSON.stringify(path).slice(0, -1));
  // From the end, so that no index moves under what is still to be taken out; nothing out of what has gone.
  for (const [i, path] of [...paths.entries()].reverse()) {
    const isInside = texts.some(
      (text, j) => j !== i && (text === texts[i] ? j < i : `${texts[i]}`.startsWith(`${text},`)),
    );
    const last = path.at(-1);
    if (isInside || last === undefined) continue;
    const owner = valueAt(drawn, path.slice(0, -1));
    if (Array.isArray(owner)) owner.splice(Number(last), 1);
    else if (owner !== null && typeof owner === "object") delete (owner as Record<string, unknown>)[last];
  }
}

const valueAt = (value: unknown, path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>((at, part) => (at as Record<string | number, unknown> | null | undefined)?.[part], value);

function existing(drawn: JsonValue, key: string, code: string): (string | number)[] {
  const parts = [...key.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, name]) =>
    index === undefined ? (name ?? "") : Number(index),
  );
  if (code === "missing-key") parts.pop();
  while (parts.length > 0 && valueAt(drawn, parts) === undefined) parts.pop();
  return parts;
}
