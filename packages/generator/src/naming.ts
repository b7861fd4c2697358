/**
 * Names: one spelling in the config, every case the targets need, and the rules that keep a name from the config from
 * becoming anything but a name in code, SQL, a path or a URL.
 */

/** One name in every case a target may need. `raw` is the spelling of the config (definitions and steps keep it). */
export interface Names {
  readonly raw: string;
  /** `order-line`: files, URLs. */
  readonly kebab: string;
  /** `order_line`: SQL, HTTP bodies. */
  readonly snake: string;
  /** `orderLine`: values in TypeScript. */
  readonly camel: string;
  /** `OrderLine`: types in TypeScript. */
  readonly pascal: string;
  /** `ORDER_LINE`: environment variables. */
  readonly constant: string;
}

/** `parseHTTPHeader_v2` -> `parse http header v2`. */
export function wordsOf(text: string): string[] {
  return text
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== "")
    .map((word) => word.toLowerCase());
}

const capitalize = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

export function namesOf(raw: string): Names {
  const words = wordsOf(raw);
  const pascal = words.map(capitalize).join("");
  return {
    raw,
    kebab: words.join("-"),
    snake: words.join("_"),
    camel: (words[0] ?? "") + words.slice(1).map(capitalize).join(""),
    pascal,
    constant: words.join("_").toUpperCase(),
  };
}

const IRREGULAR_PLURALS: ReadonlyMap<string, string> = new Map([
  ["person", "people"],
  ["child", "children"],
  ["man", "men"],
  ["woman", "women"],
  ["foot", "feet"],
  ["tooth", "teeth"],
  ["mouse", "mice"],
  ["datum", "data"],
  ["index", "indices"],
  ["news", "news"],
  ["series", "series"],
  ["equipment", "equipment"],
  ["information", "information"],
]);

function pluralWord(word: string): string {
  const irregular = IRREGULAR_PLURALS.get(word);
  if (irregular !== undefined) return irregular;
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`;
  if (/(s|x|z|ch|sh)$/.test(word)) return `${word}es`;
  return `${word}s`;
}

/** The plural by its last word: `OrderLine` -> `order-lines`, `Category` -> `categories`. */
export function pluralOf(raw: string): Names {
  const words = wordsOf(raw);
  const last = words.pop() ?? "";
  return namesOf([...words, pluralWord(last)].join("_"));
}

/** What an entity, field, service, task or stage may be called. */
export const IDENTIFIER_PATTERN = "^[A-Za-z][A-Za-z0-9_]*$";
export const IDENTIFIER_MAX_LENGTH = 64;

const WORDS_OF_THE_LANGUAGE =
  "abstract any arguments as asserts async await bigint boolean break case catch class const continue debugger declare default delete do else enum eval export extends false finally for from function get global if implements import in infer instanceof interface is keyof let module namespace never new null number object of package private protected public readonly require return set static string super switch symbol this throw true try type typeof undefined unique unknown using var void while with yield";

const MEMBERS_OF_EVERY_OBJECT =
  "constructor prototype hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString toString valueOf then toJSON";

const GLOBALS =
  "Array ArrayBuffer Boolean Buffer BigInt Date Error Function Infinity Intl Iterator JSON Map Math NaN Number Object Promise Proxy Reflect RegExp Request Response Set String Symbol URL WeakMap WeakSet Record Partial Required Readonly Pick Omit Exclude Extract Awaited Uppercase Lowercase";

const LANGUAGE = new Set(WORDS_OF_THE_LANGUAGE.split(" "));
const MEMBERS = new Set(MEMBERS_OF_EVERY_OBJECT.split(" "));
const GLOBAL_NAMES = new Set(GLOBALS.split(" "));

// Words that only some syntactic position reserves; as the name of a field or a stage they are harmless and common.
const CONTEXTUAL = new Set(
  "abstract any as asserts async boolean declare from get global infer is keyof module namespace never number object of readonly require set string symbol type unique unknown using bigint".split(
    " ",
  ),
);

/** Routes of the service itself; an entity of that name would take their path. */
const ROUTES_OF_THE_SERVICE = new Set(["sessions", "sagas", "tasks", "runs", "definitions", "instances"]);

/** Columns and properties every entity has without declaring them. */
export const IMPLICIT_FIELDS: readonly string[] = ["id", "revision", "created_at", "updated_at"];

/** PostgreSQL cuts longer names of tables and columns. */
const SQL_NAME_MAX_BYTES = 63;

/** Columns PostgreSQL gives every table. */
const SYSTEM_COLUMNS = new Set("cmax cmin ctid oid tableoid xmax xmin".split(" "));

/** Tables of the database engine and of the runtime begin so. */
const TABLE_PREFIXES = ["sqlite_", "clean_arch_"];

export type NameKind = "entity" | "field" | "service" | "task" | "stage" | "event handler";

/** Why a well-formed name is still refused, as the end of a sentence; null when it may be used. */
export function reservedBecause(raw: string, kind: NameKind): string | null {
  const names = namesOf(raw);
  const forms = [raw, names.camel];
  if (forms.some((form) => MEMBERS.has(form))) return "every JavaScript object has a member of that name";
  if (forms.some((form) => LANGUAGE.has(form) && (kind === "entity" || !CONTEXTUAL.has(form)))) {
    return "it is a reserved word of TypeScript";
  }
  if (kind === "entity") {
    if (GLOBAL_NAMES.has(names.pascal) || GLOBAL_NAMES.has(raw)) return "it would hide a global of that name";
    const table = pluralOf(raw);
    if (ROUTES_OF_THE_SERVICE.has(table.kebab)) return "its path belongs to the service's own API";
    if (TABLE_PREFIXES.some((prefix) => table.snake.startsWith(prefix))) {
      return `its table ${table.snake} would be one of the database engine's or the runtime's`;
    }
    if (table.snake.length > SQL_NAME_MAX_BYTES) {
      return `its table ${table.snake} would have ${table.snake.length} characters; PostgreSQL takes ${SQL_NAME_MAX_BYTES}`;
    }
  }
  if (kind === "field") {
    if (IMPLICIT_FIELDS.includes(names.snake)) return "every entity has it already";
    if (SYSTEM_COLUMNS.has(names.snake)) return "every table of PostgreSQL has a column of that name";
    if (names.snake.length > SQL_NAME_MAX_BYTES) {
      return `its column ${names.snake} would have ${names.snake.length} characters; PostgreSQL takes ${SQL_NAME_MAX_BYTES}`;
    }
  }
  return null;
}

/** A function's name for an endpoint; `/delete` cannot be one and `/2` cannot start one, so they get a word more. */
export function handlerNames(endpoint: string): Names {
  const names = namesOf(endpoint);
  if (names.kebab === "") return { ...namesOf("root"), raw: endpoint };
  if (/^[0-9]/.test(names.kebab)) return { ...namesOf(`call_${names.snake}`), raw: endpoint };
  return reservedBecause(names.camel, "stage") === null ? names : { ...namesOf(`${names.snake}_call`), raw: endpoint };
}

/** Damerau-Levenshtein distance, given up above `limit`. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const previous = rows[i - 1] ?? [];
      let best = Math.min(
        (previous[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (rows[i - 2]?.[j - 2] ?? 0) + 1);
      }
      row.push(best);
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? limit + 1;
}

/** The candidate a mistyped name most likely meant; null when none is near. */
export function nearestName(name: string, candidates: readonly string[]): string | null {
  const wanted = name.slice(0, 64).toLowerCase();
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  let best: string | null = null;
  let bestDistance = limit + 1;
  for (const candidate of candidates) {
    const found = distance(wanted, candidate.toLowerCase(), limit);
    if (found < bestDistance) [best, bestDistance] = [candidate, found];
  }
  return best;
}
